"""Latencies: Lava's synapses send last step's sums, so paths of different length must be balanced.

Where two paths meet, the earlier one waits in a delay line. Neurons are reset when the first step
of a sample reaches them, which lets samples stream back to back and clears what biases did while
the pipeline filled. Feedback needs no synapse's step of its own: the delay of the one layer on
the way back is the time step that the graph asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spikeport.convert.check import Finding, NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear
from spikeport.targets.lava.region import on_lava


@dataclass(frozen=True)
class Schedule:
    """When what arrives where.

    Attributes:
        latency: per node on Lava, how many steps its output lags behind the input.
        waits: (reader, port) -> steps that this input of the reader waits in a delay line.
        feedback: per delay of the graph, how many steps what it shows waits there; 0 where a layer
            on the way back delays it already.
    """

    latency: dict[str, int]
    waits: dict[tuple[str, int], int]
    feedback: dict[str, int] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Largest latency: steps that follow the last frame of a run."""
        return max(self.latency.values(), default=0)

    def delay_lines(self, graph: Graph) -> dict[tuple[str, int], list[tuple[str, int]]]:
        """(source, steps) -> the (reader, port) pairs that share this delay line."""
        lines: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for (reader, port), steps in self.waits.items():
            lines.setdefault((graph[reader].inputs[port], steps), []).append((reader, port))
        return lines

    def steps(self, samples: int, time_steps: int) -> int:
        """Steps that N samples of T time steps take, streamed back to back: N T + depth."""
        return samples * time_steps + self.depth

    def reset_offset(self, node: str, time_steps: int) -> int:
        """Offset for Lava's `LIFReset` with interval T; Lava counts steps from one."""
        return (self.latency[node] + 1) % time_steps

    def as_json(self) -> dict[str, Any]:
        waits = [[reader, port, steps] for (reader, port), steps in self.waits.items()]
        return {
            "depth": self.depth,
            "latency": self.latency,
            "waits": waits,
            "feedback": self.feedback,
        }


def retime(graph: Graph) -> Schedule:
    """Latencies and delay lines for the part of a graph that runs on Lava.

    latency(node) = largest latency of its inputs + 1 if it is a convolution or linear layer. What
    is fed back is needed one step later: latency(delay) = latency(source) - 1 or more.

    Raises:
        NodeRefused: a feedback loop holds more layers than it has steps.
    """
    region = on_lava(graph)
    nodes = [node for node in graph if node.name in region]
    delays = [node for node in nodes if node.op.feedback is not None]
    shown = {node.name: node.op.feedback or "" for node in delays}
    held = dict.fromkeys(shown, 0)
    # Each round either settles a delay for good or finds a loop that grows for ever.
    for _ in range(len(delays) + 1):
        latency = _latencies(nodes, held)
        late = {n: latency[source] - 1 for n, source in shown.items()}
        grown = {name: max(held[name], late[name]) for name in held}
        if grown == held:
            break
        held = grown
    else:
        raise NodeRefused(_too_long(delays, _latencies(nodes, held)))
    waits = {
        (node.name, port): arrival - latency[source]
        for node in nodes
        for port, source in enumerate(node.inputs)
        if (arrival := latency[node.name] - _own(node)) > latency[source]
    }
    feedback = {name: held[name] - latency[source] + 1 for name, source in shown.items()}
    return Schedule(latency, waits, feedback)


def _own(node: Node) -> int:
    """Steps between what a node reads and what it sends."""
    return int(isinstance(node.op, Conv | Linear))


def _latencies(nodes: list[Node], held: dict[str, int]) -> dict[str, int]:
    latency: dict[str, int] = {}
    for node in nodes:
        latest = max((latency[name] for name in node.inputs), default=held.get(node.name, 0))
        latency[node.name] = latest + _own(node)
    return latency


def _too_long(delays: list[Node], latency: dict[str, int]) -> Finding:
    worst = max(delays, key=lambda node: latency[node.op.feedback or ""] - latency[node.name])
    return error(
        worst,
        "its feedback loop passes through more than one layer; each takes a time step on Lava, "
        "and one is all there is.",
        "Feed back in front of the neurons, as the STF variants arch_3, arch_4, arch_5 and stf_2 "
        "do.",
    )
