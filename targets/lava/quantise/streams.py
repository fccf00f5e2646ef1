"""Streams: edges that carry currents and must share one scale, because they are added up."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import networkx as nx

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, Neuron
from spikeport.targets.lava.quantise.order import bounding_order
from spikeport.targets.lava.rules import RULES, SynapseRule
from spikeport.targets.lava.rules.base import carries_current


@dataclass
class Stream:
    """Connected nodes that carry currents, up to the neurons that read them.

    The unit of member m is `base * members[m] / 2^k` for one k per stream.

    Attributes:
        name: its first member, or the neuron if counts go straight into one.
        entries: (reader, source): counts that enter, to be shifted to the stream's scale.
        readers: the neurons at its ends.
        sources: currents of other streams that a layer of this one reads.
        base: what makes counts that enter whole multiples of the unit.
    """

    name: str
    members: dict[str, Fraction] = field(default_factory=dict)
    entries: list[tuple[str, str]] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    base: Fraction = Fraction(1)

    def unit_of(self, graph: Graph, reader: str, k: int) -> Fraction:
        """Unit of what this node reads from the stream; of a member's output if it is one."""
        name = reader if reader in self.members else graph[reader].inputs[0]
        return self.base * self.members.get(name, Fraction(1)) / Fraction(2) ** k


def odd_part(value: Fraction) -> Fraction:
    """The value times a power of two, in [1, 2)."""
    exponent = exponent_of(value)
    return value / Fraction(2) ** exponent


def exponent_of(value: Fraction) -> int:
    """Largest e with 2^e <= value."""
    e = value.numerator.bit_length() - value.denominator.bit_length()
    return e if Fraction(2) ** e <= value else e - 1


def count_units(graph: Graph, region: set[str], entry: Fraction) -> dict[str, Fraction]:
    """Unit of every node on Lava that carries spikes or counts.

    Args:
        entry: that of the input.
    """
    units: dict[str, Fraction] = {}
    for node in graph:
        if node.name not in region or carries_current(node):
            continue
        if isinstance(node.op, Input):
            units[node.name] = entry
        else:
            inputs = [units.get(name, Fraction(1)) for name in node.inputs]
            units[node.name] = RULES[node.op.kind].unit(graph, node, inputs)
    return units


def find_streams(graph: Graph, region: set[str], units: Mapping[str, Fraction]) -> list[Stream]:
    """All streams of a checked graph, each after those whose currents its layers read.

    Args:
        units: of every edge that carries counts.

    Raises:
        NodeRefused: a stream adds up what a scale puts into different units, or reads itself.
    """
    links = _links(graph, region)
    order = [node.name for node in bounding_order(graph, region)]
    streams: list[Stream] = []
    stream_of: dict[str, Stream] = {}
    for node in graph:
        if node.name not in region:
            continue
        if carries_current(node) and node.name not in stream_of:
            stream = _explore(graph, node.name, links, order)
            streams.append(stream)
            stream_of.update(dict.fromkeys(stream.members, stream))
        elif isinstance(node.op, Neuron) and not carries_current(graph[node.inputs[0]]):
            streams.append(
                Stream(node.name, entries=[(node.name, node.inputs[0])], readers=[node.name])
            )
    for node in graph:
        if node.name in region:
            _attach(graph, node, stream_of)
    for stream in streams:
        _set_base(graph, stream, units)
    return _in_order(graph, streams, stream_of)


def _attach(graph: Graph, node: Node, stream_of: Mapping[str, Stream]) -> None:
    """Note what enters or leaves a stream at this node."""
    if isinstance(node.op, Neuron):
        if node.inputs[0] in stream_of:
            stream_of[node.inputs[0]].readers.append(node.name)
    elif carries_current(node):
        stream = stream_of[node.name]
        if _is_synapse(node):
            stream.sources += [name for name in node.inputs if carries_current(graph[name])]
        else:
            sources = dict.fromkeys(node.inputs)
            counts = [name for name in sources if not carries_current(graph[name])]
            stream.entries += [(node.name, name) for name in counts]


def _set_base(graph: Graph, stream: Stream, units: Mapping[str, Fraction]) -> None:
    wanted = {
        (reader, source): odd_part(units[source] / stream.unit_of(graph, reader, 0))
        for reader, source in stream.entries
    }
    if not wanted:
        return
    stream.base = next(iter(wanted.values()))
    for (reader, _), base in wanted.items():
        if base != stream.base:
            why = (
                f"it adds up counts whose units have the ratio {float(base / stream.base):g}, "
                "which no shift makes up for."
            )
            fix = "Scale what is added up alike, or by powers of two."
            raise NodeRefused(error(graph[reader], why, fix))


def _in_order(graph: Graph, streams: list[Stream], stream_of: Mapping[str, Stream]) -> list[Stream]:
    position = {stream.name: index for index, stream in enumerate(streams)}
    net: nx.DiGraph[str] = nx.DiGraph()
    net.add_nodes_from(position)
    for stream in streams:
        for source in stream.sources:
            net.add_edge(stream_of[source].name, stream.name)
    try:
        names = list(nx.lexicographical_topological_sort(net, key=position.__getitem__))
    except nx.NetworkXUnfeasible:
        loop = next(s for s in streams if any(s.name in part for part in _loops(net)))
        layer = next(
            node for node in graph if node.name in loop.members and _reads_current(graph, node)
        )
        why = f"this {layer.op.kind} layer reads currents and adds to the same currents again."
        raise NodeRefused(error(layer, why, "Put a neuron before it.")) from None
    by_name = {stream.name: stream for stream in streams}
    return [by_name[name] for name in names]


def _loops(net: nx.DiGraph[str]) -> list[set[str]]:
    selves = [{name} for name, _ in nx.selfloop_edges(net)]
    return selves + [part for part in nx.strongly_connected_components(net) if len(part) > 1]


def _reads_current(graph: Graph, node: Node) -> bool:
    return _is_synapse(node) and any(carries_current(graph[name]) for name in node.inputs)


def _is_synapse(node: Node) -> bool:
    return isinstance(RULES[node.op.kind], SynapseRule)


def _links(graph: Graph, region: set[str]) -> dict[str, list[tuple[str, Fraction]]]:
    """Per current-carrying node its neighbours, with the ratio of their units."""
    links: dict[str, list[tuple[str, Fraction]]] = defaultdict(list)
    for node in graph:
        if node.name not in region or not carries_current(node) or _is_synapse(node):
            continue
        ratio = RULES[node.op.kind].unit(graph, node, [Fraction(1)] * len(node.inputs))
        shown = node.op.feedback
        for source in node.inputs if shown is None else (shown,):
            if carries_current(graph[source]):
                links[source].append((node.name, ratio))
                links[node.name].append((source, 1 / ratio))
    return links


def _explore(
    graph: Graph,
    start: str,
    links: Mapping[str, list[tuple[str, Fraction]]],
    order: list[str],
) -> Stream:
    stream, waiting = Stream(start, {start: Fraction(1)}), deque([start])
    while waiting:
        name = waiting.popleft()
        for other, ratio in links.get(name, ()):
            unit = stream.members[name] * ratio
            if other not in stream.members:
                stream.members[other] = unit
                waiting.append(other)
            elif stream.members[other] != unit:
                why = "currents are added to a scaled copy of themselves."
                fix = "Fold the factor into the weights of the layer before it."
                raise NodeRefused(error(graph[other], why, fix))
    stream.members = {name: stream.members[name] for name in order if name in stream.members}
    return stream
