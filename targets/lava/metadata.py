"""What the lowering notes about a graph, in its metadata."""

from __future__ import annotations

from typing import Any

from spikeport.convert.graph import Graph
from spikeport.core.errors import UsageError

_KEYS = {"input_max", "on_lava", "exponents", "entry"}


def lava_metadata(graph: Graph) -> dict[str, Any]:
    """What the lowering noted about the graph.

    Raises:
        UsageError: the graph has not been lowered to Lava.
    """
    found = graph.metadata.get("lava")
    if not isinstance(found, dict) or not set(found) >= _KEYS:
        raise UsageError(
            "this graph has not been lowered to Lava.",
            where=graph.outputs[0] if graph.outputs else "graph",
            fix="Call spikeport.targets.lava.lower first.",
        )
    return found
