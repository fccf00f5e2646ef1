"""Figures as tables show them."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share in %."""
    return f"{100 * share:.2f}"


def between(low: float, high: float) -> str:
    """An interval of a share in %."""
    return f"{100 * low:.1f} to {100 * high:.1f}"


def signed(difference: float, low: float, high: float) -> str:
    """A difference of shares in points, with its interval."""
    return f"{100 * difference:+.2f} ({100 * low:+.1f} to {100 * high:+.1f})"
