"""Sums over windows."""

from __future__ import annotations

from spikingjelly.activation_based import layer
from torch import nn

from spikeport.convert.ops import SumPool
from spikeport.targets.spikingjelly.writers.base import Where, writes


@writes(SumPool)
def sum_pool(op: SumPool, where: Where) -> nn.Module:
    """An average whose divisor is 1."""
    if len(op.kernel) == 1:
        raise where.refuse(
            "PyTorch has no sum over windows of one axis: its average there takes no divisor.",
            "Write it as a depth-wise convolution with weights of 1.",
        )
    module: nn.Module = layer.AvgPool2d(
        op.kernel, op.stride, op.padding, divisor_override=1, step_mode=where.mode
    )
    return module
