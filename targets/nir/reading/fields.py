"""The fields of a NIR node, each looked at before it is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.targets.nir.conventions import Array

_NO_MEANING = frozenset({"type", "metadata", "input_shape", "input_type", "output_type"})
"""Fields that say what follows from the rest: shapes are derived anew."""


class Fields:
    """Of one node.

    Raises:
        FileError: a field is missing, unknown, or not what it must be; from every method.
    """

    def __init__(self, name: str, given: dict[str, Any]) -> None:
        self.name, self.given = name, given
        self.type = str(given.get("type", ""))

    def refuse(self, why: str) -> FileError:
        """An error about this node."""
        return FileError(
            f"this {self.type or 'node'} is not as NIR has it: {why}.",
            where=self.name,
            fix="Write the file anew from its source.",
        )

    def only(self, known: Iterable[str]) -> None:
        """Check that nothing is there that would go unread."""
        unknown = self.given.keys() - set(known) - _NO_MEANING
        if unknown:
            raise self.refuse(f"it has no field {', '.join(sorted(map(repr, unknown)))[:200]}")

    def array(self, key: str, default: float | None = None) -> Array:
        """Numbers, float64."""
        return self._numbers(key, default).astype(np.float64)

    def weight(self, key: str, axes: int | None = None) -> Tensor:
        """Numbers in their own type if that is float32 or float64, else in float64."""
        value = self._numbers(key, None)
        if value.dtype not in (np.float32, np.float64):
            value = value.astype(np.float64)
        if axes is not None and value.ndim != axes:
            raise self.refuse(f"{key!r} has shape {list(value.shape)}, not {axes} axes")
        return torch.from_numpy(np.ascontiguousarray(value))

    def sizes(
        self, key: str, count: int, default: int | None = None, *, least: int = 1
    ) -> tuple[int, ...]:
        """`count` whole numbers; a single one stands for all of them."""
        value = self._numbers(key, default).reshape(-1)
        if len(value) not in (1, count) or not bool((np.abs(value) < 2**31).all()):
            raise self.refuse(f"{key!r} is not {count} whole numbers")
        whole = [int(each) for each in value]
        if not np.array_equal(value, whole) or min(whole) < least:
            raise self.refuse(f"{key!r} is {whole}, not whole numbers from {least} on")
        return tuple(whole * count if len(whole) == 1 else whole)

    def size(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """One whole number."""
        return self.sizes(key, 1, default, least=least)[0]

    def text(self, key: str) -> str | None:
        """A text, None if the field is none."""
        value = self.given.get(key)
        return value if isinstance(value, str) else None

    def rounding(self, *keys: str) -> float:
        """How far numbers may be apart that are meant to be equal: the worst of these arrays."""
        types = [np.asarray(self.given[key]).dtype for key in keys if key in self.given]
        return 4 * float(
            max((np.finfo(t).eps for t in types if t.kind == "f"), default=np.finfo(float).eps)
        )

    def _numbers(self, key: str, default: float | None) -> np.ndarray[Any, np.dtype[Any]]:
        given = self.given.get(key)
        if given is None:
            if default is None:
                raise self.refuse(f"{key!r} is missing")
            given = default
        value = np.asarray(given)
        if value.dtype.kind not in "fiub" or not value.size or np.isnan(value).any():
            raise self.refuse(f"{key!r} is not made of numbers")
        return value
