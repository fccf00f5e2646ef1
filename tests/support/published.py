"""Networks at their published size with random weights that let every layer fire, lowered to Lava
and run twice: by the integer executor and by Lava's own process models."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from spikeport.convert import Interpreter, trace
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Stateful
from spikeport.targets.lava import lower
from spikeport.targets.parity import Parity, compare
from spikeport.train.models import MODELS, create_model

RATE = 0.2
"""Firing rate that thresholds are chosen for."""
FIRES = (0.02, 0.8)
"""Rates between which equal spikes say something."""
HALVINGS = 24


class Waking(Interpreter):
    """Runs a graph once and chooses for each neuron the threshold at which it fires `RATE`."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.thresholds: dict[str, float] = {}

    def stateful(self, node: Node, op: Stateful, current: Tensor) -> Tensor:
        peak = float(current.max())
        # Where hardly any current is positive, no threshold gives the rate: not even a tiny one.
        low, high = peak / 64, peak * len(current)
        changed: Any = op
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            changed = replace(changed, v_threshold=middle)
            spikes = super().stateful(node, changed, current)
            rate = float(spikes.mean())
            if abs(rate - RATE) < 0.1 * RATE:
                break
            low, high = (middle, high) if rate > RATE else (low, middle)
        self.thresholds[node.name] = changed.v_threshold
        return spikes


def awake(graph: Graph, frames: Tensor) -> Graph:
    """The same graph with the thresholds at which its neurons fire `RATE` on these frames."""
    waking = Waking(graph)
    waking.run(frames)
    kept = {key: value for key, value in graph.metadata.items() if key != "certificate"}
    made = Graph(metadata=kept)
    for node in graph:
        op: Any = node.op
        if node.name in waking.thresholds:
            op = replace(op, v_threshold=waking.thresholds[node.name])
        made.add(node.name, op, node.inputs, path=node.path)
    made.outputs = graph.outputs
    return made


def input_of(name: str, samples: int, steps: int, seed: int, **options: Any) -> Tensor:
    """Event counts `[T, B, C, H, W]`, or images `[B, C, H, W]` for models that repeat them."""
    random, entry = torch.Generator().manual_seed(seed), MODELS[name]
    chosen: Any = entry.options(**options)
    channels, space = chosen.in_channels, chosen.image_size
    if entry.static:
        return torch.rand(samples, channels, *space, generator=random)
    return torch.poisson(torch.full((steps, samples, channels, *space), 0.3), generator=random)


def published(name: str, frames: Tensor, seed: int = 0, **options: Any) -> Graph:
    """A model of the catalogue, traced, with random weights and all layers firing."""
    torch.manual_seed(seed)
    entry = MODELS[name]
    model = create_model(name, **options).eval()
    shown = frames if entry.static else frames.transpose(0, 1)
    graph = trace(model, shown[:2], input_domain="real" if entry.static else "graded")
    return awake(graph, frames)


@dataclass(frozen=True)
class Result:
    """One network, compared spike by spike.

    Attributes:
        lowering, integer, pump: seconds; the two runs are of all samples.
        steps: Lava steps of the run, samples back to back.
        peak: largest resident memory of the program so far, MiB.
    """

    model: str
    parity: Parity
    lowering: float
    integer: float
    pump: float
    steps: int
    peak: float

    @property
    def rates(self) -> dict[str, float]:
        return {layer.layer: layer.rate for layer in self.parity.layers}

    def row(self) -> dict[str, Any]:
        rates = self.rates.values()
        return {
            "model": self.model,
            "layers": len(self.parity.layers),
            "spikes compared": self.parity.compared,
            "different": self.parity.different,
            "output difference": self.parity.output_difference,
            "rate, lowest": min(rates),
            "rate, highest": max(rates),
            "lowering s": self.lowering,
            "integer s": self.integer,
            "pump s": self.pump,
            "Lava steps": self.steps,
            "pump s per step": self.pump / self.steps,
            "peak MiB": self.peak,
        }


def measure(name: str, samples: int = 2, steps: int = 4, seed: int = 0, **options: Any) -> Result:
    """Lower a model of the catalogue at its published size and compare.

    Args:
        options: of the model, such as `dim=32, image_size=(32, 32)` for a smaller one.

    Raises:
        UnsupportedError: Lava cannot carry it.
    """
    frames = input_of(name, samples, steps, seed, **options)
    graph = published(name, frames, seed, **options)
    started = time.monotonic()
    artefact = lower(graph, frames)
    lowering = time.monotonic() - started
    integer = artefact.run(frames, backend="integer", spikes=True)
    pump = artefact.run(frames, backend="pump", spikes=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Result(
        name, compare(integer, pump), lowering, integer.seconds, pump.seconds,
        artefact.schedule.steps(samples, steps), peak,
    )  # fmt: skip
