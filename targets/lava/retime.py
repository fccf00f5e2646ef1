"""Latencies: Lava's synapses send last step's sums, so paths of different length must be balanced.

Where two paths meet, the earlier one waits in a delay line. Neurons are reset when the first step
of a sample reaches them, which lets samples stream back to back and clears what biases did while
the pipeline filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Conv, Linear, Neuron
from spikeport.targets.lava.region import on_lava


@dataclass(frozen=True)
class Schedule:
    """When what arrives where.

    Attributes:
        latency: per node on Lava, how many steps its output lags behind the input.
        waits: (reader, port) -> steps that this input of the reader waits in a delay line.
    """

    latency: dict[str, int]
    waits: dict[tuple[str, int], int]

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
        return {"depth": self.depth, "latency": self.latency, "waits": waits}


def retime(graph: Graph) -> Schedule:
    """Latencies and delay lines for the part of a graph that runs on Lava.

    latency(node) = largest latency of its inputs + 1 if it is a convolution or linear layer.
    """
    region = on_lava(graph)
    latency: dict[str, int] = {}
    waits: dict[tuple[str, int], int] = {}
    for node in graph:
        if node.name not in region:
            continue
        latest = max((latency[name] for name in node.inputs), default=0)
        for port, source in enumerate(node.inputs):
            if latency[source] < latest:
                waits[node.name, port] = latest - latency[source]
        latency[node.name] = latest + int(isinstance(node.op, Conv | Linear))
    return Schedule(latency, waits)


def neurons_on_lava(graph: Graph) -> tuple[str, ...]:
    """Names of the neurons, in graph order."""
    return tuple(node.name for node in graph if isinstance(node.op, Neuron))
