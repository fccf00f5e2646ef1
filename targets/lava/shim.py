"""Importing Lava on a Python that it was not made for.

lava-nc 0.10.0 was made for Python 3.10. From 3.11 on a dataclass refuses defaults that cannot be
hashed, which `lava.magma.compiler.var_model` has; with `unsafe_hash` they can. Importing its
runtime also sets the start method of multiprocessing, for the whole program and for good, and
fails if anybody did so before: the user's choice is left alone here.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import multiprocessing
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from spikeport.core.errors import MissingPackageError, UsageError

NEWEST_NUMPY = (2, 3)
"""Lava passes np.reshape(newshape=...), which numpy 2.4 no longer takes."""


def lava_missing() -> str:
    """Why Lava cannot be used here, "" if it can. Does not import it."""
    if sys.platform == "win32":
        return "Lava's runtime needs fork, which Windows lacks."
    numpy = version("numpy")
    if tuple(map(int, numpy.split(".")[:2])) > NEWEST_NUMPY:
        return f"numpy {numpy} is installed; lava-nc 0.10.0 fails from numpy 2.4 on."
    try:
        found = importlib.util.find_spec("lava.magma.core.process") is not None
    except ModuleNotFoundError:
        found = False
    return "" if found else "lava-nc is not installed."


def require_lava() -> None:
    """Do nothing if Lava is installed. Does not import it.

    Raises:
        MissingPackageError: it is not; tells how to get it.
    """
    reason = lava_missing()
    if reason.startswith("numpy"):
        raise MissingPackageError(reason, where="numpy", fix='Install "numpy>=2.3.5,<2.4".')
    if reason:
        raise MissingPackageError(
            reason,
            where="lava",
            fix="Run `uv sync`, or `uv pip install spikeport[lava]` with the overrides of this "
            "project. pip refuses lava-nc 0.10.0 on Python 3.11 and later.",
        )


def require_linux() -> None:
    """Do nothing on Linux.

    Raises:
        UsageError: this is another system, where the runtime's processes cannot be guarded.
    """
    if sys.platform != "linux":
        raise UsageError(
            f"Lava's own runtime is guarded on Linux only, and this is {sys.platform}.",
            where="Lava runtime",
            fix="Run in-process (backend 'pump'): the same process models, the same spikes.",
        )


def import_lava() -> None:
    """Make `import lava...` work in this process. May be called again.

    Raises:
        MissingPackageError: Lava is not installed; tells how to get it.
    """
    require_lava()
    if "lava.magma.compiler.compiler" in sys.modules:
        return
    plain_dataclass: Any = dataclasses.dataclass
    set_start_method = multiprocessing.set_start_method
    dataclasses.dataclass = _hashable(plain_dataclass)
    multiprocessing.set_start_method = lambda *_args, **_kwargs: None
    try:
        importlib.import_module("lava.magma.compiler.var_model")
        dataclasses.dataclass = plain_dataclass
        importlib.import_module("lava.magma.compiler.compiler")
    finally:
        dataclasses.dataclass = plain_dataclass
        multiprocessing.set_start_method = set_start_method


def _hashable(plain: Callable[..., Any]) -> Any:
    def dataclass(cls: Any = None, /, **options: Any) -> Any:
        options.setdefault("unsafe_hash", True)
        return plain(cls, **options)

    return dataclass
