"""Bootstrap of streamed data: each sample enters each resample a Poisson(1) number of times.

Chamandy et al., "Estimating Uncertainty for Massive Data Streams", Google, 2012: for many samples
this is the usual bootstrap, and it needs to see each sample only once.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.estimate.tally.exact import Counts, exact_product

RESAMPLES = 1000
# 12 x 2^40 x 256 stays below 2^53.
_CHUNK = 256
_DRAW = np.dtype("<u4")
_CUMULATED = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(12)])


class Resamples:
    """Sums of counts over 1000 resamples: `[1000, K]` and sizes `[1000]`, 8000 (K + 1) bytes.

    How often a sample enters a resample follows from its name and the seed. With names that stay
    with the samples, such as indices in the data set, the result depends neither on order nor on
    batches, workers or interruptions.
    """

    def __init__(self, columns: int, seed: int) -> None:
        self.seed = seed
        self.sums = np.zeros((RESAMPLES, columns), dtype=np.int64)
        self.sizes = np.zeros(RESAMPLES, dtype=np.int64)

    def add(self, names: tuple[str, ...], counts: Counts) -> None:
        """Add samples `[B, K]`."""
        for start in range(0, len(counts), _CHUNK):
            span = slice(start, start + _CHUNK)
            times = np.stack([_times(each, self.seed) for each in names[span]])
            self.sizes += times.sum(0)
            self.sums += exact_product(times, counts[span])

    def means(self, columns: list[int], coefficients: list[float]) -> npt.NDArray[np.float64]:
        """Mean of a weighted sum of counts in each resample that holds a sample."""
        held = self.sizes > 0
        sums = self.sums[held][:, columns] @ np.asarray(coefficients, dtype=np.float64)
        means: npt.NDArray[np.float64] = sums / self.sizes[held]
        return means


def names_of(frames: Tensor, axis: int, first: int) -> tuple[str, ...]:
    """Names for samples that have none: their positions, from `first` on, and what they hold.

    Two runs over different samples then share no name, as `axis` counts the samples of `frames`.
    """
    return tuple(
        f"{first + place}:{hashlib.blake2b(_bytes(each), digest_size=16).hexdigest()}"
        for place, each in enumerate(frames.detach().cpu().movedim(axis, 0))
    )


def _bytes(frames: Tensor) -> bytes:
    values: npt.NDArray[np.float64] = frames.to(torch.float64).contiguous().numpy()
    return values.astype("<f8", copy=False).tobytes()


def _times(name: str, seed: int) -> npt.NDArray[np.int64]:
    """Poisson(1) numbers `[1000]`, by inversion."""
    drawn = hashlib.shake_128(f"{seed}:{name}".encode()).digest(RESAMPLES * _DRAW.itemsize)
    shares = np.frombuffer(drawn, dtype=_DRAW) / 2**32
    return np.searchsorted(_CUMULATED, shares, side="right").astype(np.int64)
