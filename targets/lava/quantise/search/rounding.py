"""Whole numbers for one layer's weights that change its currents least.

The mean squared error of a current is e H e for weights that are off by e, with H the covariance
of the inputs (their mean is made up for by the bias). Rounding each weight to the nearest number
ignores that errors can cancel. Sources: columns one after the other, each error spread over those
still open: Frantar et al., "GPTQ" (ICLR 2023), after Hassibi and Stork's optimal brain surgeon
(1993); then one weight at a time to its best number given all others, until none moves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

DAMPING = 0.01
"""Of the mean variance, added to every variance: inputs that never fire must not be free."""
SWEEPS = 10
"""Passes over all weights of the last step, at most: each lowers the error."""


class Rounded(NamedTuple):
    """Weights of one layer, per group."""

    whole: Tensor
    """`[groups, outputs, inputs]`, whole numbers in float64."""
    error: Tensor
    """Mean squared error of the current, in units^2, `[groups, outputs]`."""


def damped(covariance: Tensor) -> Tensor:
    """The covariance, invertible."""
    inputs = covariance.shape[-1]
    size = covariance.diagonal(dim1=-2, dim2=-1).mean(-1).clamp(min=1e-12)
    return covariance + DAMPING * size[:, None, None] * torch.eye(inputs, dtype=covariance.dtype)


def nearest(weights: Tensor, h: Tensor, top: int) -> Rounded:
    """Each weight rounded for itself.

    Args:
        weights: in units, `[groups, outputs, inputs]` float64.
        h: `damped` covariance of the inputs.
        top: largest magnitude of a whole number.
    """
    whole = torch.round(weights).clamp(-top, top)
    return Rounded(whole, _error(weights, whole, h))


def together(weights: Tensor, h: Tensor, top: int) -> Rounded:
    """Weights of one output rounded so that their errors cancel; see `nearest`."""
    whole = _refined(weights, _in_turn(weights, h, top), h, top)
    return better(nearest(weights, h, top), Rounded(whole, _error(weights, whole, h)))


def better(a: Rounded, b: Rounded) -> Rounded:
    """Per output the one with the smaller error; the first if they are equal."""
    second = b.error < a.error
    whole = torch.where(second.unsqueeze(-1), b.whole, a.whole)
    return Rounded(whole, torch.minimum(a.error, b.error))


def _error(weights: Tensor, whole: Tensor, h: Tensor) -> Tensor:
    off = whole - weights
    return ((off @ h) * off).sum(-1)


def _in_turn(weights: Tensor, h: Tensor, top: int) -> Tensor:
    """Largest variance first; the error of each column moves to those that come later."""
    order = h.diagonal(dim1=-2, dim2=-1).argsort(dim=-1, descending=True, stable=True)
    rows = order.unsqueeze(1).expand_as(weights)
    open_, sorted_h = weights.gather(2, rows).clone(), _permuted(h, order)
    upper = torch.linalg.cholesky(torch.linalg.inv(sorted_h)).mT
    whole = torch.empty_like(open_)
    for column in range(weights.shape[-1]):
        value = open_[..., column]
        whole[..., column] = torch.round(value).clamp(-top, top)
        error = (value - whole[..., column]) / upper[:, column, column, None]
        later = upper[:, None, column, column + 1 :]
        open_[..., column + 1 :] -= error.unsqueeze(-1) * later
    return torch.empty_like(whole).scatter_(2, rows, whole)


def _permuted(h: Tensor, order: Tensor) -> Tensor:
    rows = h.gather(1, order.unsqueeze(-1).expand_as(h))
    return rows.gather(2, order.unsqueeze(1).expand_as(h))


def _refined(weights: Tensor, whole: Tensor, h: Tensor, top: int) -> Tensor:
    whole = whole.clone()
    slope = (whole - weights) @ h
    for _ in range(SWEEPS):
        moved = False
        for column in range(weights.shape[-1]):
            wanted = whole[..., column] - slope[..., column] / h[:, column, column, None]
            step = torch.round(wanted).clamp(-top, top) - whole[..., column]
            if bool(step.any()):
                moved = True
                whole[..., column] += step
                slope += step.unsqueeze(-1) * h[:, None, column]
        if not moved:
            break
    return whole
