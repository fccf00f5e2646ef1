"""Numbers as people read them."""

from __future__ import annotations

import math

_PREFIXES = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"))
MISSING = "-"


def si(value: float | None, digits: int = 3) -> str:
    """A count with an SI prefix and `digits` significant digits: 65028096 -> "65.0 M"."""
    if value is None or math.isnan(value):
        return MISSING
    # Rounded first, so that 999999 becomes 1.00 M and not 1000 k.
    value = _rounded(value, digits)
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return significant(value / size, digits) + prefix
    return f"{value:.0f}" if value == int(value) else significant(value, digits)


def significant(value: float | None, digits: int = 3) -> str:
    """A figure with `digits` significant digits and no exponent unless it is tiny."""
    if value is None or math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    value = _rounded(value, digits)
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.1e}" if places > digits + 3 else f"{value:.{max(places, 0)}f}"


def percent(share: float | None, digits: int = 3) -> str:
    """A share as a percentage without the sign, for columns headed by %."""
    return significant(None if share is None else 100 * share, digits)


def hundredths(share: float) -> str:
    """A share in %, two digits behind the point: 0.988 -> "98.80"."""
    return f"{100 * share:.2f}"


def between(low: float, high: float) -> str:
    """An interval of a share in %: "97.9 to 99.3"."""
    return f"{100 * low:.1f} to {100 * high:.1f}"


def signed(difference: float, low: float, high: float) -> str:
    """A difference of shares in percentage points, with its interval."""
    return f"{points(difference)} ({100 * low:+.1f} to {100 * high:+.1f})"


def points(difference: float) -> str:
    """A difference of shares in percentage points: 0.02 -> "+2.00"."""
    return f"{100 * difference:+.2f}"


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")
