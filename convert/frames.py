"""Whether frames are what a graph takes."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.ops import RepeatTime
from spikeport.core.errors import UsageError


def repeats(graph: Graph) -> tuple[int, ...]:
    """Over how many steps values are repeated that exist once per sample, such as an image; each
    number once."""
    return tuple(dict.fromkeys(node.op.steps for node in graph if isinstance(node.op, RepeatTime)))


def check_shape(graph: Graph, frames: Tensor) -> None:
    """Check that each frame, or image, has the shape that the graph was traced for.

    Args:
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.

    Raises:
        UsageError: it has not.
    """
    node = graph.input
    axes = ("T", "B") if node.per_step else ("B",)
    if tuple(frames.shape[len(axes) :]) != node.shape or frames.ndim != len(axes) + len(node.shape):
        expected = ", ".join((*axes, *map(str, node.shape)))
        raise UsageError(
            f"the graph takes input [{expected}], not {list(frames.shape)}.",
            where=node.name,
            fix="Frame the data for this size, or trace the model again for the other size.",
        )


def check_frames(graph: Graph, frames: Tensor, dtype: torch.dtype) -> None:
    """Check the input of a run.

    Args:
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
        dtype: what the run computes in.

    Raises:
        UsageError: the shape is another than the graph was traced for, the number of time steps is
            not the model's own, or an integer type would cut off fractions.
    """
    check_shape(graph, frames)
    node = graph.input
    if not dtype.is_floating_point and not bool((frames == frames.round()).all()):
        raise UsageError(
            f"the frames hold fractions, which {dtype} would cut off.",
            where=node.name,
            fix="Run in float64, or give whole numbers.",
        )
    fixed = graph.metadata.get("fixed_steps")
    if node.per_step and (not len(frames) or (fixed is not None and len(frames) != fixed)):
        raise UsageError(
            f"{len(frames)} time steps were given; it takes {fixed or 'one or more'}.",
            where=node.name,
            fix="Frame the data into that many steps; the model computes with their number.",
        )
