"""Figures of single samples, collected batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
"""By name; the first axis counts samples."""

_COLUMN = "of_"


class Records:
    """Arrays by number of the batch, in any order; what is read does not depend on the order."""

    def __init__(self) -> None:
        self.parts: dict[int, Arrays] = {}

    def __len__(self) -> int:
        """Samples so far."""
        return sum(_samples(part) for part in self.parts.values())

    def add(self, index: int, arrays: Arrays) -> None:
        """Take what batch `index` gave: the same names for every batch."""
        self.parts[index] = dict(arrays)

    def joined(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays over all samples, in the order of the batches; empty before the first."""
        parts = [self.parts[index] for index in sorted(self.parts)]
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in (parts[0] if parts else ())
        }

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All of it as arrays; `restore` takes it."""
        order = sorted(self.parts)
        return {
            "batches": np.array(order, dtype=np.int64),
            "lengths": np.array([_samples(self.parts[index]) for index in order], dtype=np.int64),
            **{_COLUMN + name: array for name, array in self.joined().items()},
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned.

        Raises:
            ValueError, KeyError: the arrays do not belong together.
        """
        batches, ends = state["batches"].tolist(), np.cumsum(state["lengths"])
        names = [name for name in state if name.startswith(_COLUMN)]
        if any(len(state[name]) != (ends[-1] if batches else 0) for name in names):
            raise ValueError("arrays of different lengths")
        cut = {name: np.split(state[name], ends[:-1]) for name in names}
        for place, index in enumerate(batches):
            self.parts[index] = {
                name.removeprefix(_COLUMN): pieces[place] for name, pieces in cut.items()
            }


def _samples(arrays: Arrays) -> int:
    return len(next(iter(arrays.values())))
