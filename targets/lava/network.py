"""The network of Lava processes that an integer graph stands for.

Imports Lava: use only after `shim.import_lava()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, Neuron
from spikeport.core.errors import UsageError
from spikeport.targets.lava.builders import BUILDERS, Placed, Site
from spikeport.targets.lava.order import in_running_order
from spikeport.targets.lava.processes.api import AbstractProcess, InPort, Integers, OutPort
from spikeport.targets.lava.processes.delay import DelayLine
from spikeport.targets.lava.processes.sink import Sink
from spikeport.targets.lava.region import boundary, on_lava
from spikeport.targets.lava.retime import Schedule


@dataclass
class Network:
    """Connected processes, ready for one run. Lava runs a network once only.

    Attributes:
        processes: upstream first; those that close a feedback loop by sending what they held
            before they receive come before those that they send to.
        links: (sender, receiver), without sinks.
        registers: the processes that send before they receive.
        sinks: by the node whose values they keep, neurons first.
        steps: how many Lava steps the run takes.
    """

    samples: int
    time_steps: int
    steps: int
    processes: list[AbstractProcess] = field(default_factory=list)
    links: list[tuple[AbstractProcess, AbstractProcess]] = field(default_factory=list)
    registers: set[AbstractProcess] = field(default_factory=set)
    sinks: dict[str, Sink] = field(default_factory=dict)
    taken: bool = False

    def take(self) -> None:
        """Take the network for its one run.

        Raises:
            UsageError: it was taken before (Lava would hang).
        """
        if self.taken:
            raise UsageError(
                "this network has run already; Lava runs a network once only.",
                where=self.processes[0].name,
                fix="Build another one from the same graph with build_network.",
            )
        self.taken = True

    def unstreamed(self, kept: Integers) -> Integers:
        """`[N * T, *shape]` as kept by a sink to `[T, N, *shape]`."""
        return kept.reshape(self.samples, self.time_steps, *kept.shape[1:]).swapaxes(0, 1)


def build_network(
    graph: Graph, schedule: Schedule, frames: Tensor, folder: Path | None = None
) -> Network:
    """Build the processes and connect them.

    Args:
        frames: as `stepped_frames` makes them; the B samples are streamed back to back.
        folder: where sinks write their values, one .npy each; None keeps them in the models.

    Raises:
        UsageError: there is no frame, or the schedule belongs to another graph.
    """
    time_steps, samples = int(frames.shape[0]), int(frames.shape[1])
    if not time_steps or not samples:
        raise UsageError("there is no frame to run.", where=graph.input.name, fix="Give frames.")
    stream = frames.transpose(0, 1).flatten(0, 1).cpu().numpy().astype(np.int32)
    site = Site(graph, schedule, stream, time_steps)
    network = Network(samples, time_steps, schedule.steps(samples, time_steps))
    region = on_lava(graph)
    if set(schedule.latency) != region:
        raise UsageError(
            "this schedule belongs to another graph.",
            where=min(set(schedule.latency) ^ region),
            fix="Use what retime(graph) returns.",
        )
    lines = _DelayLines(network)
    nodes = [node for node in graph if node.name in region]
    # All are made before any is connected: feedback comes from what stands behind.
    placed: dict[str, Placed] = {node.name: BUILDERS[node.op.kind](site, node) for node in nodes}
    for node in nodes:
        _connect(site, node, placed, network, lines)
    network.processes = in_running_order(network.processes, network.links, network.registers)
    for node in _recorded(graph, region):
        _add_sink(network, node, schedule, placed[node.name].output, folder)
    return network


def _connect(
    site: Site, node: Node, placed: dict[str, Placed], network: Network, lines: _DelayLines
) -> None:
    here, shown = placed[node.name], node.op.feedback
    sources = node.inputs if shown is None else (shown,)
    for port, (source, target) in enumerate(zip(sources, here.inputs, strict=True)):
        wait = site.schedule.waits.get((node.name, port), 0) if shown is None else 0
        sender = placed[source]
        before, output = lines.after(site.graph[source], sender, wait)
        output.connect(target)
        network.links.append((before, here.processes[0]))
    network.processes.extend(here.processes)
    network.links += pairwise(here.processes)
    if isinstance(node.op, Conv | Linear) or site.schedule.feedback.get(node.name):
        network.registers.update(here.processes)


@dataclass
class _DelayLines:
    """One line per source and number of steps, shared by all that need it."""

    network: Network
    made: dict[tuple[str, int], DelayLine] = field(default_factory=dict)

    def after(self, source: Node, placed: Placed, steps: int) -> tuple[AbstractProcess, OutPort]:
        """What sends the source's output so many steps later, and its port."""
        if not steps:
            return placed.processes[-1], placed.output
        if (source.name, steps) not in self.made:
            name = f"{source.name}.wait_{steps}"
            line = DelayLine(name=name, shape=source.shape, steps=steps)
            placed.output.connect(line.s_in)
            self.network.processes.append(line)
            self.network.registers.add(line)
            self.network.links.append((placed.processes[-1], line))
            self.made[source.name, steps] = line
        line = self.made[source.name, steps]
        return line, line.s_out


def _recorded(graph: Graph, region: set[str]) -> list[Node]:
    neurons = [node for node in graph if isinstance(node.op, Neuron)]
    names = {node.name for node in neurons}
    return neurons + [node for node in boundary(graph, region) if node.name not in names]


def _add_sink(
    network: Network, node: Node, schedule: Schedule, output: OutPort, folder: Path | None
) -> None:
    index = len(network.sinks)
    sink = Sink(
        name=f"{node.name}.sink",
        shape=node.shape,
        # Lava counts steps from one.
        first=schedule.latency[node.name] + 1,
        count=network.samples * network.time_steps,
        path=None if folder is None else str(folder / f"sink_{index}.npy"),
    )
    port: InPort = sink.s_in
    output.connect(port)
    network.sinks[node.name] = sink
    network.processes.append(sink)


def run_config(conv_model: type[Any] | None = None) -> Any:
    """Lava's run configuration: fixed point, with our convolution model unless told otherwise."""
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.conv.process import Conv

    from spikeport.targets.lava.processes.fast_conv import FastConvModel

    return Loihi2SimCfg(
        select_tag="fixed_pt", exception_proc_model_map={Conv: conv_model or FastConvModel}
    )
