"""Drop what nothing reads: branches that end nowhere and the neurons in them."""

from __future__ import annotations

from spikeport.convert.graph import Graph, rebuilt


def remove_dead(graph: Graph) -> Graph:
    """Keep what the outputs depend on, feedback included. Inputs stay."""
    kept = rebuilt(graph)
    return graph if len(kept) == len(graph) else kept
