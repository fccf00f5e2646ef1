"""One batch, run, counted and judged: here or in another process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.estimate.evaluation.answers import Judged, judge
from spikeport.estimate.tally.batch import Counted
from spikeport.estimate.tally.counter import Counter

Batch = tuple[Tensor, Tensor | None] | tuple[Tensor, Tensor | None, Sequence[object]]
"""(frames as the executor takes them, labels `[B]` or None, names of the samples)."""


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What one batch gave.

    Attributes:
        counted: its counts.
        judged: predictions and labels; None without labels.
    """

    counted: Counted
    judged: Judged | None


@dataclass(frozen=True, eq=False)
class Counting:
    """What is done to each batch of an estimate."""

    executor: Executor
    counter: Counter

    def __call__(self, index: int, batch: Batch) -> BatchResult:
        frames, labels = batch[0], batch[1]
        samples = frames.shape[1 if self.executor.graph.input.per_step else 0]
        # Names that do not depend on who counts the batch.
        names = batch[2] if len(batch) == 3 else [f"{index}.{place}" for place in range(samples)]
        scores, counted = self.counter.tally.count(self.executor, frames, names)
        return BatchResult(counted, None if labels is None else judge(scores, labels))
