"""Accuracy of an executor, streamed over batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import eq

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.core.errors import UsageError
from spikeport.estimate.evaluation.records import Arrays, Records
from spikeport.estimate.stats import Share

Batch = tuple[Tensor, Tensor]
"""(frames as the executor takes them, labels `[B]`)."""


@dataclass(frozen=True)
class AccuracyResult:
    """How often the label was on top; by sample, in the order seen.

    Attributes:
        predictions: class with the highest score (the first of equal ones).
        labels: the right class.
        ranks: classes that come before the label; 0 is right.
        confidences: largest softmax of the scores, 0 to 1.
        scores: the highest score.
    """

    predictions: tuple[int, ...]
    labels: tuple[int, ...]
    ranks: tuple[int, ...]
    confidences: tuple[float, ...]
    scores: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> int:
        """Samples whose label is on top."""
        return sum(self.hits)

    @property
    def hits(self) -> list[bool]:
        """Whether each sample was right."""
        return [rank == 0 for rank in self.ranks]

    def top(self, k: int) -> Share:
        """Samples whose label is among the `k` highest scores."""
        return Share(sum(rank < k for rank in self.ranks), self.count)

    @property
    def top1(self) -> float:
        """Share of correct samples, 0 to 1."""
        return self.top(1).value

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval of `top1`, by Wilson's score."""
        return self.top(1).interval

    @property
    def per_class(self) -> dict[int, tuple[int, int]]:
        """By label that occurs: (correct, count)."""
        labels, hits = np.array(self.labels), np.array(self.hits)
        return {
            int(label): (int(hits[labels == label].sum()), int((labels == label).sum()))
            for label in np.unique(labels)
        }

    def same(self, other: AccuracyResult) -> Share:
        """Samples to which another network that saw them gave the same answer."""
        return Share(sum(map(eq, self.predictions, other.predictions)), self.count)


@dataclass(frozen=True, eq=False)
class Judged:
    """One batch, `[B]` each; see `AccuracyResult`."""

    predictions: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]


def judge(scores: Tensor, labels: Tensor) -> Judged:
    """Answers to one batch.

    Args:
        scores: `[B, classes]`, or `[T, B, classes]`, then averaged over time.
        labels: whole numbers `[B]`, below `classes`.

    Raises:
        UsageError: shapes do not fit, a label is out of range, or a score is not finite.
    """
    scores = averaged(scores)
    labels = checked_labels(scores, labels)
    predictions, confidences, highest = answers(scores)
    own = scores.gather(1, labels.unsqueeze(1))
    # Of equal scores the first class comes first, as `argmax` has it.
    earlier = torch.arange(scores.shape[1]) < labels.unsqueeze(1)
    before = (scores > own) | ((scores == own) & earlier)
    return Judged(predictions, labels.numpy(), before.sum(1).numpy(), confidences, highest)


Answers = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""(class with the highest score, its softmax, the score), without the scores' last axis."""


def answers(scores: Tensor) -> Answers:
    """What scores `[..., classes]` say, in float64."""
    predictions = scores.argmax(-1)
    confidences = torch.softmax(scores, -1).amax(-1)
    return predictions.numpy(), confidences.numpy(), scores.amax(-1).numpy()


def averaged(scores: Tensor) -> Tensor:
    """Scores `[B, classes]` on the CPU in float64; those of single steps averaged over time."""
    scores = scores.detach().cpu().double()
    return scores.mean(0) if scores.ndim == 3 else scores


def checked_labels(scores: Tensor, labels: Tensor) -> Tensor:
    """Labels as int64 on the CPU, if scores `[B, classes]` can be judged by them.

    Raises:
        UsageError: see `judge`.
    """
    labels = labels.detach().cpu()
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or labels.is_floating_point():
        raise UsageError(
            f"scores {list(scores.shape)} and labels {list(labels.shape)} ({labels.dtype}) "
            "do not fit.",
            where="labels",
            fix="Give frames with time first, [T, B, ...], one class number per sample, and a "
            "network that ends in class scores.",
        )
    if not torch.isfinite(scores).all():
        raise UsageError("the network's scores hold NaN or infinity.", where="scores")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < scores.shape[1]:
        raise UsageError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, but the network "
            f"has {scores.shape[1]} classes.",
            where="labels",
            fix="Check that the data and the network have the same classes.",
        )
    return labels.to(torch.int64)


class Accuracy:
    """Collects answers batch by batch: 40 bytes per sample."""

    def __init__(self) -> None:
        self.records = Records()

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Add one more batch; see `judge`."""
        self.put(len(self.records.parts), judge(scores, labels))

    def put(self, index: int, judged: Judged) -> None:
        """Take batch `index`, in any order."""
        self.records.add(index, vars(judged))

    def result(self) -> AccuracyResult:
        """What was collected so far.

        Raises:
            UsageError: no sample was added.
        """
        if not len(self.records):
            raise UsageError("there is no sample to evaluate.", where="batches")
        columns = {name: tuple(each.tolist()) for name, each in self.records.joined().items()}
        return AccuracyResult(**columns)

    def state(self) -> Arrays:
        """All of it as arrays; `restore` takes it."""
        return self.records.state()

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self.records.restore(state)


def accuracy(executor: Executor, batches: Iterable[Batch]) -> AccuracyResult:
    """Run all batches and compare the highest score with the label.

    Raises:
        UsageError: there is no sample, or see `judge`.
    """
    collected = Accuracy()
    for frames, labels in batches:
        collected.add(executor.run(frames), labels)
    return collected.result()
