"""Streams: edges that carry currents and must share one scale, because they are added up."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.targets.lava.rules import RULES, SynapseRule
from spikeport.targets.lava.rules.base import carries_current


@dataclass
class Stream:
    """Connected nodes that carry currents, up to the neurons that read them.

    The exponent of member m is `k + members[m]` for one k per stream.

    Attributes:
        name: its first member, or the neuron if counts go straight into one.
        entries: (reader, source): counts that enter, to be shifted to the stream's scale.
        readers: the neurons at its ends.
    """

    name: str
    members: dict[str, int] = field(default_factory=dict)
    entries: list[tuple[str, str]] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)

    def exponent_of(self, graph: Graph, reader: str, k: int) -> int:
        """Exponent of what this node reads from the stream."""
        if reader in self.members:
            return k + self.members[reader]
        return k + self.members.get(graph[reader].inputs[0], 0)


def count_exponents(graph: Graph, region: set[str]) -> dict[str, int]:
    """Exponent of every node on Lava that carries spikes or counts."""
    exponents: dict[str, int] = {}
    for node in graph:
        if node.name in region and not carries_current(node):
            inputs = [exponents.get(name, 0) for name in node.inputs]
            exponents[node.name] = RULES[node.op.kind].exponent(graph, node, inputs)
    return exponents


def find_streams(graph: Graph, region: set[str]) -> list[Stream]:
    """All streams of a checked graph, in graph order.

    Raises:
        NodeRefused: a stream adds up currents that a scale puts into different units.
    """
    links = _links(graph, region)
    streams: list[Stream] = []
    stream_of: dict[str, Stream] = {}
    for node in graph:
        if node.name not in region:
            continue
        if carries_current(node) and node.name not in stream_of:
            stream = _explore(graph, node.name, links)
            streams.append(stream)
            stream_of.update(dict.fromkeys(stream.members, stream))
        elif isinstance(node.op, Neuron) and not carries_current(graph[node.inputs[0]]):
            streams.append(
                Stream(node.name, entries=[(node.name, node.inputs[0])], readers=[node.name])
            )
    for node in graph:
        if node.name not in region:
            continue
        if isinstance(node.op, Neuron):
            if node.inputs[0] in stream_of:
                stream_of[node.inputs[0]].readers.append(node.name)
        elif carries_current(node) and not _is_synapse(node):
            sources = dict.fromkeys(node.inputs)
            counts = [name for name in sources if not carries_current(graph[name])]
            stream_of[node.name].entries += [(node.name, name) for name in counts]
    return streams


def _is_synapse(node: Node) -> bool:
    return isinstance(RULES[node.op.kind], SynapseRule)


def _links(graph: Graph, region: set[str]) -> dict[str, list[tuple[str, int]]]:
    """Per current-carrying node its neighbours, with the difference of their exponents."""
    links: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for node in graph:
        if node.name not in region or not carries_current(node) or _is_synapse(node):
            continue
        step = RULES[node.op.kind].exponent(graph, node, [0] * len(node.inputs))
        for source in node.inputs:
            if carries_current(graph[source]):
                links[source].append((node.name, step))
                links[node.name].append((source, -step))
    return links


def _explore(graph: Graph, start: str, links: dict[str, list[tuple[str, int]]]) -> Stream:
    stream, waiting = Stream(start, {start: 0}), deque([start])
    while waiting:
        name = waiting.popleft()
        for other, step in links[name]:
            offset = stream.members[name] + step
            if other not in stream.members:
                stream.members[other] = offset
                waiting.append(other)
            elif stream.members[other] != offset:
                why = "currents are added to a scaled copy of themselves."
                fix = "Fold the factor into the weights of the layer before it."
                raise NodeRefused(error(graph[other], why, fix))
    in_order = (node.name for node in graph if node.name in stream.members)
    stream.members = {name: stream.members[name] for name in in_order}
    return stream
