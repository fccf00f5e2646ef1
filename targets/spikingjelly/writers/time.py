"""What crosses time steps without a state."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from spikeport.convert.ops import Delay, MeanTime, RepeatTime, SumTime
from spikeport.targets.spikingjelly.writers.base import Where, Written, writes


@writes(MeanTime)
def mean_time(op: MeanTime, where: Where) -> Written:
    return partial(torch.mean, dim=0)


@writes(SumTime)
def sum_time(op: SumTime, where: Where) -> Written:
    return partial(torch.sum, dim=0)


@writes(RepeatTime)
def repeat_time(op: RepeatTime, where: Where) -> Written:
    return partial(_repeat, steps=op.steps)


def _repeat(x: Tensor, steps: int) -> Tensor:
    return x.unsqueeze(0).repeat(steps, *(1,) * x.ndim)


@writes(Delay)
def delay(op: Delay, where: Where) -> Written:
    raise where.refuse(
        "a delay outside of a feedback loop has no module.",
        "Run the graph as it is: spikeport.Interpreter, or the reference target.",
    )
