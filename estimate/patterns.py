"""Spike patterns: which words of T bits the neurons of a layer emit, and how evenly.

The measure follows the published code of the STF encoding (arXiv 2508.00387): the spike train of
each neuron is a word, and words are counted over neurons and samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Node
from spikeport.core.errors import UsageError
from spikeport.estimate.encoding import encoding_layer

LONGEST = 20
"""Time steps; a histogram has 2^T counters of 8 bytes."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """How often each word was emitted.

    Attributes:
        layer: module path of the neurons, or the node.
        steps: T, bits per word.
        samples: how many were shown.
        counts: `[2^T]`, by word; the first time step is the highest bit.
    """

    layer: str
    steps: int
    samples: int
    counts: npt.NDArray[np.int64]

    @property
    def words(self) -> int:
        """Words counted: neurons times samples."""
        return int(self.counts.sum())

    @property
    def used(self) -> int:
        """How many of the 2^T words occur."""
        return int(np.count_nonzero(self.counts))

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Share of each word, `[2^T]`."""
        shares: npt.NDArray[np.float64] = self.counts / self.words
        return shares

    @property
    def entropy(self) -> float:
        """H = -sum over words of p ln p / (T ln 2): 0 for one word, 1 if all are as frequent."""
        p = self.shares[self.counts > 0]
        return abs(float(-(p * np.log(p)).sum() / (self.steps * math.log(2))))

    @property
    def rate(self) -> float:
        """Spikes per neuron and time step."""
        ones = np.array([word.bit_count() for word in range(1 << self.steps)])
        return float((self.counts * ones).sum() / (self.words * self.steps))

    def common(self, count: int) -> list[tuple[str, int]]:
        """The most frequent words that occur, as bits in order of time, with their counts."""
        order = np.argsort(-self.counts, kind="stable")[:count]
        return [
            (self.bits(int(word)), int(self.counts[word])) for word in order if self.counts[word]
        ]

    def bits(self, word: int) -> str:
        """A word as its bits in order of time."""
        return f"{word:0{self.steps}b}"

    def as_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "steps": self.steps,
            "samples": self.samples,
            "words": self.words,
            "used": self.used,
            "possible": 1 << self.steps,
            "entropy": self.entropy,
            "rate": self.rate,
            "counts": dict(self.common(self.used)),
        }


def words_of(spikes: Tensor) -> npt.NDArray[np.int64]:
    """How often each word of T bits occurs in spikes `[T, ...]` of 0 and 1: `[2^T]`.

    Raises:
        UsageError: there are more than 20 steps, or values other than 0 and 1.
    """
    steps = len(spikes)
    if not 0 < steps <= LONGEST:
        raise UsageError(
            f"words of {steps} time steps cannot be counted.",
            where="patterns",
            fix=f"Run 1 to {LONGEST} time steps.",
        )
    fired = spikes != 0
    if not bool((spikes == fired).all()):
        raise UsageError("there are values other than 0 and 1.", where="patterns")
    code = torch.zeros(fired.shape[1:], dtype=torch.int64, device=fired.device)
    for step in fired:
        code = 2 * code + step
    return torch.bincount(code.flatten(), minlength=1 << steps).cpu().numpy()


def spike_patterns(
    executor: Executor, batches: Iterable[tuple[Tensor, Tensor]], layer: str | None = None
) -> Patterns:
    """Count the words of one layer over all batches; memory does not grow with their number.

    Args:
        executor: runs the network.
        batches: (frames as the executor takes them, labels).
        layer: neurons by node or module path; the first ones if not given.

    Raises:
        UnknownNameError: there is no such layer.
        UsageError: there is no sample, or the number of time steps is above 20 or changes.
    """
    node = encoding_layer(executor.graph, layer)
    parts: list[npt.NDArray[np.int64]] = []
    samples = 0

    def tap(at: Node, value: Tensor) -> None:
        nonlocal samples
        if at.name == node.name:
            counted = words_of(value)
            if parts and len(parts[0]) != len(counted):
                raise UsageError(
                    "batches differ in their number of time steps.",
                    where="patterns",
                    fix="Frame all samples into the same number of steps.",
                )
            samples += value.shape[1]
            parts[:] = [parts[0] + counted] if parts else [counted]

    for frames, _ in batches:
        executor.run(frames, tap)
    if not samples:
        raise UsageError("there is no sample.", where="patterns", fix="Give at least one batch.")
    return Patterns(node.path or node.name, len(parts[0]).bit_length() - 1, samples, parts[0])
