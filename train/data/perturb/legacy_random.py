"""Tonic draws from numpy's global generator; this lends it a seeded one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def global_numbers_from(rng: np.random.Generator) -> Iterator[None]:
    """Seed numpy's global generator by `rng`, and leave it behind as it was."""
    before = np.random.get_state()
    np.random.seed(rng.integers(1 << 32, size=4))
    try:
        yield
    finally:
        np.random.set_state(before)
