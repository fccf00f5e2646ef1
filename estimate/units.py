"""Units: energies are kept in pJ, exactly, and converted here and nowhere else."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt

ENERGY = {
    "fJ": Fraction(1, 1000),
    "pJ": Fraction(1),
    "nJ": Fraction(10**3),
    "uJ": Fraction(10**6),
    "mJ": Fraction(10**9),
}
"""pJ per unit."""
POWER = {"uW": Fraction(1, 10**6), "mW": Fraction(1, 1000), "W": Fraction(1)}
"""W per unit."""
TIME = {"ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "ms": Fraction(1, 1000)}
"""s per unit."""
PICOJOULE_PER_JOULE = 10**12

Energy = TypeVar("Energy", Fraction, npt.NDArray[np.float64])


def microjoule(picojoule: Energy) -> Energy:
    """An energy in pJ (a fraction, or `[samples]`) in uJ, of the same type."""
    return picojoule / 1_000_000
