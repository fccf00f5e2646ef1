"""Which axis of a sample may be time and which batch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from spikeport.core.errors import UnknownNameError, UsageError


class Layout(StrEnum):
    """Where time and batch are in a sample; what follows are features, `[C, H, W]` or others."""

    TBCHW = "TBCHW"
    BTCHW = "BTCHW"
    BCHW = "BCHW"

    @property
    def time_axis(self) -> int | None:
        return {"T": 0, "B": 1}[self[0]] if "T" in self else None


def parse_layout(layout: str | None) -> Layout | None:
    """The layout that a user names.

    Raises:
        UnknownNameError: there is no such layout.
    """
    if layout is None:
        return None
    if layout not in set(Layout):
        raise UnknownNameError("layout", str(layout), [str(each) for each in Layout])
    return Layout(layout)


@dataclass(frozen=True)
class Hypothesis:
    """One way to read a sample: how many leading axes are open, and which one is time.

    Attributes:
        time: axis of the sample; None for a static image.
    """

    open_axes: int
    time: int | None

    @property
    def batch(self) -> int:
        return 1 if self.time == 0 else 0


IMAGE, TIME_FIRST, BATCH_FIRST = Hypothesis(1, None), Hypothesis(2, 0), Hypothesis(2, 1)
_BY_LAYOUT = {
    Layout.TBCHW: TIME_FIRST,
    Layout.BTCHW: BATCH_FIRST,
    Layout.BCHW: IMAGE,
}


def hypotheses(sample: Tensor, layout: Layout | None) -> list[Hypothesis]:
    """Every way to read a sample, the usual one first; the neurons decide between them."""
    if layout is not None:
        return [_BY_LAYOUT[layout]]
    sequence = [TIME_FIRST, BATCH_FIRST]
    return {2: [IMAGE], 3: [*sequence, IMAGE], 4: [IMAGE, *sequence]}.get(sample.ndim, sequence)


def check_sample(sample: Tensor, layout: Layout | None = None, steps: int | None = None) -> Tensor:
    """A sample that can prove something.

    Raises:
        UsageError: no tensor, without batch axis, empty, not finite, or not of the declared
            layout and number of steps.
    """
    if not isinstance(sample, Tensor):
        raise UsageError(f"a {type(sample).__name__} is no tensor.", where="sample")
    fewest = 2 if layout is None or layout.time_axis is None else 3
    if sample.ndim < fewest or not sample.numel() or not torch.isfinite(sample).all():
        holds = f"has shape {list(sample.shape)}" if sample.numel() else "is empty"
        why = holds if sample.ndim < fewest or not sample.numel() else "holds NaN or infinity"
        raise UsageError(
            f"the sample {why}.",
            where="sample",
            fix="Give numbers as [B, C, H, W], [T, B, C, H, W] or [B, T, C, H, W].",
        )
    if steps is not None and (not isinstance(steps, int) or steps < 1):
        raise UsageError(
            f"{steps!r} is no number of time steps.", where="steps", fix="Give 1, 2, 3, ..."
        )
    time = None if layout is None else layout.time_axis
    if steps is not None and time is not None and sample.shape[time] != steps:
        raise UsageError(
            f"under layout {layout} the sample has {sample.shape[time]} steps, not {steps}.",
            where="steps",
            fix="Leave out steps, or give the other layout.",
        )
    return sample


def with_open_axes(sample: Tensor, open_axes: int) -> Tensor:
    """At least two steps and samples: `torch.export` treats an axis of size one as fixed."""
    repeats = [2 if axis < open_axes and size == 1 else 1 for axis, size in enumerate(sample.shape)]
    return sample.repeat(repeats)
