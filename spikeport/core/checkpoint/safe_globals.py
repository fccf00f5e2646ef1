"""The few types beyond tensors that training checkpoints hold, and harmless stand-ins for them.

timm's savers store an `argparse.Namespace` and numpy scalars. numpy's own functions for rebuilding
a scalar accept any dtype (objects, records, gigabytes of void), so stand-ins that know only numbers
take their place while a file is read.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)


class _NumberType:
    """Stand-in for `numpy.dtype`, of numbers only."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        dtype = np.dtype(code) if isinstance(code, str) and len(code) <= 4 else None
        if dtype is None or dtype.kind not in "biufc":
            raise ValueError(f"a numpy scalar of type {code!r:.40}, which is no number")
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, subarray, names, fields, size, alignment, flags)
        if state[2:5] != (None, None, None):
            raise ValueError("a numpy scalar with fields")
        self.dtype = self.dtype.newbyteorder(state[1])


def _number(kind: Any, data: bytes) -> Any:
    """Stand-in for `numpy.core.multiarray.scalar`."""
    if not isinstance(kind, _NumberType) or not isinstance(data, bytes):
        raise ValueError("a numpy scalar that is no number")
    (value,) = np.frombuffer(data, kind.dtype)
    return value.item()


_ALLOWED: list[Any] = [
    argparse.Namespace,
    (_NumberType, "numpy.dtype"),
    (_number, "numpy.core.multiarray.scalar"),
    (_number, "numpy._core.multiarray.scalar"),
]
_LOCK = threading.Lock()


@contextlib.contextmanager
def only_safe_globals() -> Iterator[None]:
    """Let `torch.load` know these types and no others, whatever the process has allowed so far."""
    with _LOCK:
        before = get_safe_globals()
        clear_safe_globals()
        try:
            with safe_globals(_ALLOWED):
                yield
        finally:
            add_safe_globals(before)
