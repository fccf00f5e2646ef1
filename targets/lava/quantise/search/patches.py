"""What one output of a layer reads, as rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops import Conv, Linear

ROWS = 16_384
"""Rows per layer at most; with more than 4096 inputs, four times as many as inputs."""


def patches(op: Conv | Linear, values: Tensor) -> Tensor:
    """Inputs of single outputs, `[groups, rows, inputs]`, in the order of the flat weights.

    With many samples and positions, evenly spaced ones of each.

    Args:
        values: `[N, *feature]`, time steps and samples in one axis.
    """
    if isinstance(op, Linear):
        rows = values.reshape(1, -1, op.in_features)
        return rows[:, :: _stride(rows.shape[1], op.in_features)]
    inputs = op.weight[0].numel()
    space = op.infer_shape(tuple(values.shape[1:]))[1:]
    positions = int(torch.Size(space).numel())
    stride = _stride(len(values) * positions, inputs)
    # Half of the thinning by samples and half by positions, so that neither is seen alone.
    by_sample = max(1, min(round(stride**0.5), len(values) // 64))
    columns = _unfold(op, values[::by_sample])
    columns = columns.reshape(len(columns), op.groups, inputs, positions)
    rows = columns.permute(1, 0, 3, 2).reshape(op.groups, -1, inputs)
    return rows[:, :: max(1, stride // by_sample)]


def _stride(rows: int, inputs: int) -> int:
    return max(1, rows // max(ROWS, 4 * inputs))


def _unfold(op: Conv, values: Tensor) -> Tensor:
    """`[N, C K, positions]`."""
    if len(op.kernel) == 1:
        # One axis is two of which the first has one place.
        (k,), (d,), (p,), (s,) = op.kernel, op.dilation, op.padding, op.stride
        return F.unfold(values.unsqueeze(2), (1, k), (1, d), (0, p), (1, s))
    return F.unfold(values, op.kernel, op.dilation, op.padding, op.stride)
