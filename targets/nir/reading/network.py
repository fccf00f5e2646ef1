"""A NIR graph without nesting: nodes by name, and which nodes each of them reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spikeport.core.errors import FileError, UnsupportedError
from spikeport.targets.nir.reading.fields import Fields
from spikeport.targets.nir.reading.files import DEPTH_LIMIT, Tree

JUNCTION = "junction"
"""Type of the inputs and outputs of nested graphs: they pass on the sum of what they read."""


@dataclass
class Net:
    """Nodes and edges.

    Attributes:
        nodes: in the order in which edges name them: files sort them by name.
        reads: by node what it reads, in the order of the edges.
    """

    nodes: dict[str, Fields] = field(default_factory=dict)
    reads: dict[str, list[str]] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[str]:
        """Names of the nodes of a type."""
        return [name for name, node in self.nodes.items() if node.type == kind]


def flattened(tree: Tree) -> Net:
    """A graph with those nested in it unfolded: their nodes are called OUTER.INNER.

    Raises:
        FileError: nodes or edges are not as NIR has them.
        UnsupportedError: a nested graph has several inputs or outputs.
    """
    net, named = Net(), dict[str, None]()
    _unfold(tree, "", net, named, 0)
    net.nodes = {name: net.nodes[name] for name in named | dict.fromkeys(net.nodes)}
    return net


def _unfold(tree: Tree, prefix: str, net: Net, named: dict[str, None], depth: int) -> None:
    nodes, edges = tree.get("nodes"), tree.get("edges", [])
    if not isinstance(nodes, dict) or depth > DEPTH_LIMIT:
        raise _wrong(prefix, "it has no nodes" if depth <= DEPTH_LIMIT else "it is nested too deep")
    entries: dict[str, str] = {}
    exits: dict[str, str] = {}
    for name, given in nodes.items():
        full = f"{prefix}{name}"
        kind = str(given.get("type", "")) if isinstance(given, dict) else ""
        if not kind:
            raise _wrong(full, "it has no type")
        if kind == "NIRGraph":
            _unfold(given, f"{full}.", net, named, depth + 1)
            entries[name] = _port(given, f"{full}.", "Input")
            exits[name] = _port(given, f"{full}.", "Output")
            continue
        inner = depth > 0 and kind in ("Input", "Output")
        entries[name] = exits[name] = full
        _add(net, full, {"type": JUNCTION} if inner else given)
    for edge in _pairs(edges, prefix):
        source, reader = edge
        if source not in exits or reader not in entries:
            missing = source if source not in exits else reader
            raise _wrong(prefix, f"an edge names {missing[:80]!r}, which is no node")
        reads = net.reads[entries[reader]]
        if exits[source] in reads:
            raise _wrong(entries[reader], f"two edges lead to it from {source[:80]!r}")
        reads.append(exits[source])
        named |= dict.fromkeys((exits[source], entries[reader]))


def _add(net: Net, name: str, given: dict[str, Any]) -> None:
    if name in net.nodes:
        raise _wrong(name, "two nodes have this name")
    net.nodes[name] = Fields(name, given)
    net.reads.setdefault(name, [])


def _port(tree: Tree, prefix: str, kind: str) -> str:
    found = [name for name, given in tree["nodes"].items() if given.get("type") == kind]
    if len(found) != 1:
        raise UnsupportedError(
            f"this nested graph has {len(found)} nodes of type {kind}.",
            where=prefix.rstrip("."),
            fix="Give it one; edges of NIR do not say which of several they mean.",
        )
    return f"{prefix}{found[0]}"


def _pairs(edges: Any, prefix: str) -> list[tuple[str, str]]:
    try:
        pairs = [(_string(source), _string(reader)) for source, reader in edges]
    except (TypeError, ValueError) as error:
        raise _wrong(prefix, "its edges are no pairs of names") from error
    return pairs


def _string(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _wrong(where: str, why: str) -> FileError:
    return FileError(
        f"this NIR graph is not as it should be: {why}.",
        where=where.rstrip(".") or "NIR graph",
        fix="Write the file anew from its source.",
    )
