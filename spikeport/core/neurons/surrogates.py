"""The surrogate functions of SpikingJelly whose forward is the step x >= 0."""

from __future__ import annotations

import enum
import math
from typing import Any

import torch
from spikingjelly.activation_based import surrogate
from torch import Tensor


class Slope(enum.IntEnum):
    """Derivatives that kernel.c knows, by its numbers."""

    SIGMOID = 0
    ATAN = 1
    PIECEWISE_QUADRATIC = 2
    PIECEWISE_EXP = 3
    SOFT_SIGN = 4
    SUPER_SPIKE = 5
    ERF = 6


STEPS: dict[type, Slope | None] = {
    surrogate.Sigmoid: Slope.SIGMOID,
    surrogate.ATan: Slope.ATAN,
    surrogate.PiecewiseQuadratic: Slope.PIECEWISE_QUADRATIC,
    surrogate.PiecewiseExp: Slope.PIECEWISE_EXP,
    surrogate.SoftSign: Slope.SOFT_SIGN,
    surrogate.SuperSpike: Slope.SUPER_SPIKE,
    surrogate.Erf: Slope.ERF,
    surrogate.DeterministicPass: None,
    surrogate.FakeNumericalGradient: None,
    surrogate.LeakyKReLU: None,
    surrogate.LogTailedReLU: None,
    surrogate.NonzeroSignLogAbs: None,
    surrogate.PiecewiseLeakyReLU: None,
    surrogate.QPseudoSpike: None,
    surrogate.Rect: None,
    surrogate.S2NN: None,
    surrogate.SquarewaveFourierSeries: None,
}
"""Class to derivative in the kernel; None: through the function's own backward."""


def is_step(function: Any) -> bool:
    """Whether `function` emits 1 for x >= 0, else 0, and has numbers for parameters."""
    if type(function) not in STEPS or not function.spiking:
        return False
    numbers = function._sg_params.values()
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        return False
    return STEPS[type(function)] is None or function.alpha > 0


def slope_at(function: Any, distance: Tensor, factor: float = 1.0) -> Tensor:
    """`factor` times the derivative of a surrogate at h - threshold; may overwrite `distance`."""
    if type(function) is surrogate.Sigmoid:
        y = torch.sigmoid(distance.mul_(function.alpha))
        return torch.addcmul(y, y, y, value=-1).mul_(function.alpha * factor)
    with torch.enable_grad():
        u = distance.requires_grad_()
        (slope,) = torch.autograd.grad(function(u), u, torch.ones_like(u))
    return slope if factor == 1.0 else slope * factor
