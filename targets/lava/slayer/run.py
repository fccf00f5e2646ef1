"""Runs on slayer."""

from __future__ import annotations

from time import monotonic

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.targets.lava.host import host_outputs
from spikeport.targets.lava.slayer.module import to_slayer
from spikeport.targets.lowered import Run


@torch.no_grad()
def run_on_slayer(graph: Graph, frames: Tensor) -> Run:
    """Run an integer graph on slayer's synapses and neurons.

    Args:
        frames: what the graph takes.

    Raises:
        as `to_slayer`, and as the module's forward.
    """
    network = to_slayer(graph)
    started = monotonic()
    spikes: dict[str, Tensor] = {}
    last = network.values(frames, spikes)
    seconds = monotonic() - started
    kept = {name: value.bool() for name, value in spikes.items()}
    return Run(host_outputs(graph, last.double()), kept, "slayer", seconds)
