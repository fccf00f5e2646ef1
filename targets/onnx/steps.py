"""How many time steps the unrolled graph has."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.graph import Graph
from spikeport.convert.ops import AddPerStep, RepeatTime
from spikeport.convert.schedule import schedule
from spikeport.core.errors import UsageError


def chosen_steps(graph: Graph, wanted: int | None) -> int:
    """T of the unrolled graph: what is wanted, else what the graph was traced with.

    Raises:
        UsageError: the graph computes with another number, or nothing tells the number.
    """
    for steps, exactly, who in _demands(graph):
        if wanted is None:
            wanted = steps
        if wanted > steps or (exactly and wanted != steps):
            raise UsageError(
                f"this network computes with {steps} time steps, not {wanted}.",
                where=who,
                fix=f"Leave out steps, or give {steps}.",
            )
    if wanted is None:
        wanted = traced_steps(graph)
    if wanted is None:
        raise UsageError(
            "nothing in this graph tells its number of time steps.",
            where="steps",
            fix="Give steps=, the T of the unrolled graph.",
        )
    return wanted


def _demands(graph: Graph) -> Iterator[tuple[int, bool, str]]:
    """T, whether it may not be less, and who says so."""
    fixed = graph.metadata.get("fixed_steps")
    if fixed is not None:
        yield fixed, True, "fixed_steps"
    for group in schedule(graph):
        for node in group:
            if isinstance(node.op, RepeatTime):
                yield node.op.steps, True, node.path or node.name
            if isinstance(node.op, AddPerStep):
                # In a loop the interpreter takes fewer steps than there are constants.
                yield node.op.steps, len(group) == 1, node.path or node.name


def traced_steps(graph: Graph) -> int | None:
    """T of the sample that the graph was proven on; 1 where nothing has a time axis."""
    if not any(node.per_step for node in graph):
        return 1
    certificate = graph.metadata.get("certificate") or {}
    shape, time = certificate.get("input_shape"), graph.metadata.get("time_axis")
    return int(shape[time]) if shape and time is not None else None
