"""Random numbers that depend on where they are drawn, never on what was drawn before."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def seeded(*place: int) -> Iterator[None]:
    """Seed the generators of python, numpy and torch (CPU) by `place`; put them back afterwards.

    So a sample is changed alike whichever process reads it, and a run that was interrupted needs no
    state of any generator to go on.
    """
    before = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    first, second, third = np.random.SeedSequence(place).generate_state(3, np.uint32)
    random.seed(int(first))
    np.random.seed(int(second))
    torch.default_generator.manual_seed(int(third))
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.random.set_rng_state(before[2])
