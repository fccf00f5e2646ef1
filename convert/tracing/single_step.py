"""Models that are one time step, whose time loop the user writes outside."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from spikeport.convert.tracing.layout import (
    BATCH_FIRST,
    IMAGE,
    TIME_FIRST,
    Hypothesis,
    Layout,
    hypotheses,
)
from spikeport.core.copying import copy_model
from spikeport.core.errors import UnsupportedError, UsageError


def frames_of(sample: Tensor, time_axis: int | None, steps: int | None) -> Iterator[Tensor]:
    """What a single-step model reads at each step."""
    if time_axis is None:
        yield from (sample for _ in range(steps or 0))
    else:
        yield from sample.unbind(time_axis)


def read_sample(
    model: nn.Module, sample: Tensor, layout: Layout | None, steps: int | None, where: str
) -> Hypothesis:
    """How a single-step model reads a sample: as one image, or as a frame per step.

    A reading is possible if the model runs on one frame of it. What is left open is an error.

    Args:
        where: path of a neuron in single-step mode, for messages.

    Raises:
        UsageError: the sample can be read in several ways, or lacks the number of steps.
        UnsupportedError: the model runs on no frame of it.
    """
    possible = [
        each
        for each in hypotheses(sample, layout)
        if sample.ndim > each.open_axes and _runs(model, _frame(sample, each))
    ]
    if layout is None and steps is not None:
        possible = [
            each for each in possible if each.time is None or sample.shape[each.time] == steps
        ]
    if not possible:
        raise UnsupportedError(
            f"this neuron runs in single-step mode, and the model runs on no frame of a sample "
            f"{list(sample.shape)}" + (f" over {steps} steps." if steps is not None else "."),
            where=where,
            fix="Give [B, C, H, W] or, with frames over time, [T, B, C, H, W] and layout='TBCHW'. "
            "Or call spikingjelly.activation_based.functional.set_step_mode(model, 'm').",
        )
    if possible == [IMAGE] and steps is None:
        raise UsageError(
            "this neuron runs in single-step mode, so the time loop is outside the model, and the "
            "sample has no time axis.",
            where=where,
            fix="Give steps, the number of time steps (--steps), or call spikingjelly."
            "activation_based.functional.set_step_mode(model, 'm').",
        )
    if len(possible) > 1:
        names = {IMAGE: Layout.BCHW, TIME_FIRST: Layout.TBCHW, BATCH_FIRST: Layout.BTCHW}
        raise UsageError(
            f"the model is one time step, so a sample {list(sample.shape)} can be read as "
            f"{' or '.join(names[each] for each in possible)}.",
            where="sample",
            fix="Name the layout (--layout), and the number of steps of an image (--steps).",
        )
    return possible[0]


def _frame(sample: Tensor, hypothesis: Hypothesis) -> Tensor:
    return sample if hypothesis.time is None else sample.select(hypothesis.time, 0)


def _runs(model: nn.Module, frame: Tensor) -> bool:
    """Whether it runs, on batches of several sizes: a frame without batch is no frame."""
    try:
        with torch.no_grad():
            copy_model(model)(frame)
            copy_model(model)(torch.cat([frame, frame[:1]]))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, NotImplementedError):
        return False
    return True
