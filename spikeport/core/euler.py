"""One Euler step of a leaky membrane."""

from __future__ import annotations

from torch import Tensor


def charged(v: Tensor, current: Tensor, tau: Tensor | None, gain: Tensor, leak: Tensor) -> Tensor:
    """The membrane one step later: v + ((leak - v) + gain x) / tau, v + gain x without `tau`.

    Args:
        v, current: `[B, *feature]`.
        tau: in time steps; it, `gain` and `leak` broadcast to the features.
    """
    driven = gain * current
    return v + driven if tau is None else v + ((leak - v) + driven) / tau
