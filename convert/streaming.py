"""Whether a graph can be run frame by frame, and for how many of them."""

from __future__ import annotations

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, OverTime
from spikeport.core.errors import UnsupportedError, UsageError


def needs_later_steps(graph: Graph) -> list[Node]:
    """Nodes with a value per step that need a sum or mean over all steps, later ones included."""
    tainted: set[str] = set()
    found = []
    for node in graph:
        if isinstance(node.op, OverTime) or not tainted.isdisjoint(node.inputs):
            tainted.add(node.name)
            if node.per_step:
                found.append(node)
    return found


def step_limit(graph: Graph) -> int | None:
    """Steps that the network can take from rest; None for any number.

    Temporal embeddings have constants for so many steps, and some models compute with T.
    """
    limits = [node.op.steps for node in graph if isinstance(node.op, AddPerStep)]
    fixed = graph.metadata.get("fixed_steps")
    return min([*limits, *([] if fixed is None else [int(fixed)])], default=None)


def require_streamable(graph: Graph) -> None:
    """Do nothing if each step of a graph needs that step and earlier ones only.

    Raises:
        UnsupportedError: it reads one image per sample, something needs later steps, or it has
            several outputs; names the node.
    """
    if len(graph.outputs) != 1:
        raise UnsupportedError(f"a graph with {len(graph.outputs)} outputs cannot be run.")
    entry = graph.input
    if not entry.per_step:
        raise UnsupportedError(
            "this network reads one image per sample, so that there is nothing to stream.",
            where=entry.path or entry.name,
            fix="Stream a network that reads a frame at each time step.",
        )
    for node in needs_later_steps(graph):
        raise UnsupportedError(
            f"at each step this {node.op.kind} needs a sum or mean over all steps, which is not "
            "known before the last one.",
            where=node.path or node.name,
            fix="Run whole samples instead of a stream.",
        )
    graph.check_feedback()


def check_frame(graph: Graph, shape: tuple[int, ...]) -> None:
    """Check the shape of one frame, `[B, *shape]`.

    Raises:
        UsageError: the graph was traced for another.
    """
    entry = graph.input
    if len(shape) != len(entry.shape) + 1 or shape[1:] != entry.shape or not shape[0]:
        raise UsageError(
            f"the graph takes a frame [B, {', '.join(map(str, entry.shape))}] at each step, not "
            f"{list(shape)}.",
            where=entry.name,
            fix="Map the events to this size, or trace the model again for the other size.",
        )


def check_step(graph: Graph, taken: int) -> None:
    """Check that one more step may follow.

    Args:
        taken: steps since rest.

    Raises:
        UsageError: the network has no more.
    """
    limit = step_limit(graph)
    if limit is not None and taken >= limit:
        raise UsageError(
            f"it has taken {taken} steps from rest and is made for {limit}.",
            where="reset",
            fix=f"Reset it after {limit} steps or fewer.",
        )
