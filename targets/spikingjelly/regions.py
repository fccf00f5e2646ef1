"""Single nodes, and the nodes that one time loop runs."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Delay, Input, Neuron, Stateless
from spikeport.convert.schedule import Group
from spikeport.core.errors import UnsupportedError


@dataclass(frozen=True)
class Region:
    """What one call of the network computes.

    Attributes:
        nodes: in the order of one step.
        entry: what a loop reads at each step.
        exit: what it emits.
        delay: what shows the feedback.
        path: of the module that holds its parts.
    """

    nodes: tuple[Node, ...]
    entry: str = ""
    exit: str = ""
    feedback: tuple[Node, ...] = ()
    path: str = ""

    @property
    def is_loop(self) -> bool:
        return bool(self.feedback)

    @property
    def delay(self) -> Node:
        return self.feedback[0]


def regions(graph: Graph, groups: list[Group]) -> list[Region]:
    """The groups of a schedule, loops widened until they read one value and show one.

    Raises:
        UnsupportedError: a loop has several feedbacks, entries or exits that cannot be joined.
    """
    loops = {group: _loop(graph, group) for group in groups if len(group) > 1}
    inside = {node.name for region in loops.values() for node in region.nodes}
    result = []
    for group in groups:
        if group in loops:
            result.append(loops[group])
        elif group[0].name not in inside:
            result.append(Region(group))
    return result


def _loop(graph: Graph, group: Group) -> Region:
    delays = tuple(node for node in group if isinstance(node.op, Delay))
    where = group[0].path or group[0].name
    if len(delays) != 1:
        raise UnsupportedError(
            f"this loop has {len(delays)} feedbacks; a time loop has one.",
            where=where,
            fix="Concatenate what goes back.",
        )
    nodes = _widened(graph, {node.name for node in group}, where)
    ordered = tuple(node for node in graph if node.name in nodes)
    (entry,) = _entries(graph, nodes)
    exits = [
        node.name
        for node in ordered
        if node.name in graph.outputs
        or any(reader.name not in nodes for reader in graph.consumers(node.name))
    ]
    if len(exits) != 1:
        raise UnsupportedError(
            f"{len(exits)} values leave this loop; a time loop emits one.",
            where=where,
            fix="Read one value of it.",
        )
    return Region(ordered, entry, exits[0], delays, _common_path(ordered))


def _entries(graph: Graph, nodes: set[str]) -> list[str]:
    found = (name for node in graph if node.name in nodes for name in node.inputs)
    return [name for name in dict.fromkeys(found) if name not in nodes]


def _widened(graph: Graph, nodes: set[str], where: str) -> set[str]:
    """With what leads to the loop alone, until one value enters it."""
    nodes = set(nodes)
    while len(entries := _entries(graph, nodes)) > 1:
        able = [
            name
            for name in entries
            if isinstance(graph[name].op, Stateless)
            and not isinstance(graph[name].op, Input)
            and graph[name].per_step
            and all(reader.name in nodes for reader in graph.consumers(name))
        ]
        if not able:
            raise UnsupportedError(
                f"{len(entries)} values enter this loop ({', '.join(entries)}); a time loop reads "
                "one.",
                where=where,
                fix="Concatenate them in front of it and take them apart inside.",
            )
        nodes.add(able[-1])
    return nodes


def _common_path(nodes: tuple[Node, ...]) -> str:
    """The module whose forward ran the loop."""
    paths = []
    for node in nodes:
        is_module = isinstance(node.op, Neuron) or bool(node.op.tensors())
        parts = node.path.split(".") if node.path else []
        paths.append(parts[:-1] if is_module else parts)
    paths = [parts for node, parts in zip(nodes, paths, strict=True) if node.path]
    common = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        common.append(names[0])
    return ".".join(common)
