"""How long a network takes on this machine: many samples at once, and one alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from spikeport.convert.executor import Executor

PASSES, SECONDS = 5, 2.0
"""Timed passes over the batch, fewer once they took that long; one at least."""
ALONE, ALONE_SECONDS = 50, 5.0
"""The same for passes of one sample."""


@dataclass(frozen=True)
class Timing:
    """Wall-clock time, nobody watching values, reading of data not included.

    Attributes:
        batch: samples of a pass.
        passes: timed ones.
        seconds: of a pass, median.
        events: input events in the batch; None where the input is no event count.
        alone: timed passes of one sample.
        p50: seconds per sample alone, median.
        p95: 95th percentile, interpolated; of few passes it is little more than the slowest.
    """

    batch: int
    passes: int
    seconds: float
    events: int | None
    alone: int
    p50: float
    p95: float

    @property
    def samples_per_second(self) -> float:
        """Throughput."""
        return self.batch / self.seconds

    @property
    def events_per_second(self) -> float | None:
        """Throughput in input events."""
        return None if self.events is None else self.events / self.seconds


def measure(executor: Executor, frames: Tensor) -> Timing:
    """Time an executor on one batch, after a pass that nobody times.

    Args:
        frames: `[T, B, *shape]`, or `[B, *shape]` where the graph reads images.
    """
    entry = executor.graph.input
    axis = 1 if entry.per_step else 0
    samples = frames.shape[axis]
    singles = [frames.narrow(axis, place, 1).contiguous() for place in range(min(samples, ALONE))]
    executor.run(singles[0])
    whole = _timed(lambda _: executor.run(frames), PASSES, SECONDS)
    alone = _timed(lambda turn: executor.run(singles[turn % len(singles)]), ALONE, ALONE_SECONDS)
    return Timing(
        batch=samples,
        passes=len(whole),
        seconds=float(np.median(whole)),
        events=events_in(executor, frames),
        alone=len(alone),
        p50=float(np.quantile(alone, 0.5)),
        p95=float(np.quantile(alone, 0.95)),
    )


def events_in(executor: Executor, frames: Tensor) -> int | None:
    """Input events of a batch: the sum of its counts; None where the input holds none."""
    return int(frames.double().sum()) if executor.graph.input.domain.is_whole else None


def _timed(run: Callable[[int], object], passes: int, seconds: float) -> list[float]:
    taken: list[float] = []
    while len(taken) < passes and (not taken or sum(taken) < seconds):
        start = time.perf_counter()
        run(len(taken))
        taken.append(time.perf_counter() - start)
    return taken
