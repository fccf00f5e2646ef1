"""Compiled neurons are tried before they are trusted, once for each type of numbers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from spikeport.core.native import CompileError
from spikeport.core.neurons.dynamics import Charge, Dynamics

logger = logging.getLogger(__name__)

T = TypeVar("T")

_lock = threading.Lock()


def made_once(
    made: dict[torch.dtype, T | None], dtype: torch.dtype, make: Callable[[torch.dtype], T]
) -> T | None:
    """What `make` makes for this type, kept in `made`; None, for good, after a CompileError."""
    if dtype not in made:
        with _lock:
            if dtype not in made:
                made[dtype] = _attempt(make, dtype)
    return made[dtype]


def _attempt(make: Callable[[torch.dtype], T], dtype: torch.dtype) -> T | None:
    try:
        return make(dtype)
    except CompileError as error:
        logger.warning("Spiking neurons run several times slower than they could: %s", error)
        return None


def probes(dtype: torch.dtype) -> Iterator[tuple[Dynamics, Tensor, Tensor | None]]:
    """Neurons of every way to charge and reset, currents `[4, 1500]` for them, and their leak.

    What is compiled must compute them as torch does: compilers take flags from the environment,
    some of which round otherwise.
    """
    x = (torch.arange(6000, dtype=dtype, device="cpu") * 0.7310585).remainder(4).sub(1)
    for charge in Charge:
        leak = torch.tensor(0.3, device="cpu") if charge is Charge.LEAK_MULTIPLY else None
        for reset in (-0.1, None):
            yield Dynamics(charge, True, 1.7, 0.9, reset, True, None), x.reshape(4, 1500), leak
