"""Frames on their way into an integer graph."""

from __future__ import annotations

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.core.errors import UsageError
from spikeport.targets.lava.entry import Entry, image_steps
from spikeport.targets.lava.metadata import lava_metadata


def whole_frames(graph: Graph, frames: Tensor) -> Tensor:
    """What the graph computes with: counts as they are, real values in whole numbers.

    Args:
        frames: `[T, B, *shape]`, or `[B, *shape]` where the graph repeats an image itself.

    Raises:
        UsageError: the frames are of another shape, or counts that are not whole, negative, or
            larger than head-room was proven for, or real values far beyond the range.
    """
    node, entry = graph.input, graph_entry(graph)
    axes = ("T", "B") if node.per_step else ("B",)
    if tuple(frames.shape[len(axes) :]) != node.shape:
        expected = ", ".join((*axes, *map(str, node.shape)))
        raise UsageError(
            f"the graph takes frames [{expected}], not {list(frames.shape)}.",
            where=node.name,
            fix="Frame the data for this size.",
        )
    if entry.quantised:
        return entry.whole(frames, node.name)
    check_counts(frames, node.name)
    largest = int(frames.max()) if frames.numel() else 0
    check_declared(node, largest)
    if largest > entry.high:
        raise UsageError(
            f"a pixel counts {largest} events in one step; head-room was proven up to "
            f"{entry.high}.",
            where=node.name,
            fix=f"Lower the graph again with input_max={largest} or more.",
        )
    return frames


def stepped_frames(graph: Graph, frames: Tensor) -> Tensor:
    """`whole_frames`, one per step: `[T, B, *shape]`; images are repeated.

    Raises:
        UsageError: as `whole_frames`, and if there is no frame.
    """
    whole, steps = whole_frames(graph, frames), image_steps(graph)
    stepped = whole if steps is None else whole.unsqueeze(0).expand(steps, *whole.shape)
    if not stepped.shape[0] or not stepped.shape[1]:
        raise UsageError("there is no frame to run.", where=graph.input.name, fix="Give frames.")
    return stepped


def graph_entry(graph: Graph) -> Entry:
    """How an integer graph reads its input."""
    return Entry.from_json(lava_metadata(graph)["entry"])


def check_counts(frames: Tensor, where: str) -> None:
    """Do nothing if all values are whole numbers and none is negative.

    Raises:
        UsageError: some are not.
    """
    values = frames if not frames.is_floating_point() else frames.double()
    # Not finite: an endless number is rounded to itself.
    whole = (values == values.round()) & values.isfinite() if frames.is_floating_point() else None
    if whole is not None and not bool(whole.all()):
        bad = values[~whole].flatten()[0]
        raise UsageError(
            f"the frames hold {float(bad):g}, which is not a whole number.",
            where=where,
            fix="Give event counts: no normalisation, no interpolation, no NaN.",
        )
    if bool((values < 0).any()):
        raise UsageError(
            f"the frames hold {float(values.min()):g}; counts are not negative.",
            where=where,
            fix="Keep ON and OFF events in channels of their own.",
        )


def check_declared(node: Node, largest: int) -> None:
    """Do nothing if an input may hold counts this large by what it was declared as.

    Raises:
        UsageError: it was declared to hold spikes, which Lava's convolutions take as 0 or 1.
    """
    if node.domain is Domain.SPIKE and largest > 1:
        raise UsageError(
            f"the input was declared to hold spikes (0 or 1), and counts up to {largest} come.",
            where=node.name,
            fix="Trace the model with input_domain='graded', or clip the frames to 0 and 1.",
        )
