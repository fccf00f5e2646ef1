"""Which input position meets which weight: integers that depend on the geometry alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def hits(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> Tensor:
    """Which input position tap k of output o falls on, along one axis.

    Returns:
        bool `[outputs, kernel, size]`; a tap on padding has no true entry. Outputs as PyTorch's
        convolutions and poolings place them (rounded down).
    """
    outputs = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    position = torch.arange(outputs)[:, None] * stride + torch.arange(kernel) * dilation - padding
    return position[:, :, None] == torch.arange(size)


def axis_incidence(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Tensor:
    """1 where input position i is read through tap k by some output: float64 `[kernel, size]`.

    A position meets a tap at most once, so the sum over taps is the fan-out of a position.
    """
    return hits(size, kernel, stride, padding, dilation).any(0).double()


def axis_cover(size: int, kernel: int, stride: int, padding: int) -> Tensor:
    """1 where window o covers input position i: float64 `[outputs, size]`."""
    return hits(size, kernel, stride, padding).any(1).double()


def outer(factors: list[Tensor]) -> Tensor:
    """Product map `[*sizes]` of one vector per axis."""
    result = torch.ones((), dtype=torch.float64)
    for factor in factors:
        result = result.unsqueeze(-1) * factor
    return result


def squeezed(weights: Tensor) -> Tensor:
    """The same map with each axis along which it is constant shrunk to size 1.

    An axis of size 1 need not be kept when events are summed, which makes counting cheaper.
    """
    for axis in range(weights.ndim):
        first = weights.narrow(axis, 0, 1)
        if weights.shape[axis] > 1 and bool((weights == first).all()):
            weights = first
    return weights


def windows_cover(windows: Sequence[range], size: int) -> Tensor:
    """Which input position lies in the window of output o, along one axis.

    Returns:
        float64 `[outputs, size]` of 0 and 1.
    """
    cover = torch.zeros((len(windows), size), dtype=torch.float64)
    for output, window in enumerate(windows):
        cover[output, window.start : window.stop] = 1.0
    return cover
