"""Colours and words of the pictures."""

from __future__ import annotations

import re

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron

BACKGROUND, INK, FAINT, BORDER = "#FFFFFF", "#1A1A1A", "#5F6368", "#9AA0A6"
NEURON, WEIGHTED, PLAIN = "#FFF4CE", "#E3EDF7", "#F6F7F8"

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]")
_LONGEST = 48


def fill(node: Node) -> str:
    """Neurons, ops with parameters, and all others look different."""
    if isinstance(node.op, Neuron):
        return NEURON
    return WEIGHTED if node.op.tensors() else PLAIN


def title(node: Node) -> str:
    """The module path, or the node's name; without what no picture can hold."""
    return shortened(node.path or node.name)


def details(node: Node) -> str:
    """Kind of op and shape of its output."""
    size = " x ".join(map(str, node.shape)) or "1"
    return f"{shortened(node.op.kind)}   {'T x ' if node.per_step else ''}{size}"


def shortened(text: str) -> str:
    """At most `_LONGEST` characters: the end of a path tells more than its beginning."""
    clean = _UNPRINTABLE.sub("?", text)
    return clean if len(clean) <= _LONGEST else f"...{clean[3 - _LONGEST :]}"


def domains_of(graph: Graph) -> list[Domain]:
    """The domains that occur, in the order of the legend."""
    found = {node.domain for node in graph}
    return [domain for domain in Domain if domain in found]
