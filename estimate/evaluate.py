"""Top-1 accuracy of an executor, streamed over batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.core.errors import UsageError
from spikeport.estimate.stats import wilson

Batch = tuple[Tensor, Tensor]
"""(frames as the executor takes them, labels `[B]`)."""


@dataclass(frozen=True)
class AccuracyResult:
    """Top-1 accuracy.

    Attributes:
        correct: samples whose highest score is at the label (the first of equal scores counts).
        count: samples.
        per_class: by label that occurs: (correct, count).
        predictions: class per sample, in the order seen.
        labels: label per sample, in the order seen.
    """

    correct: int
    count: int
    per_class: dict[int, tuple[int, int]]
    predictions: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def top1(self) -> float:
        """Share of correct samples, 0 to 1."""
        return self.correct / self.count

    @property
    def hits(self) -> list[bool]:
        """Whether each sample was right, in the order seen."""
        return [a == b for a, b in zip(self.predictions, self.labels, strict=True)]

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval of `top1`, by Wilson's score."""
        return wilson(self.correct, self.count)


@dataclass(frozen=True, eq=False)
class Judged:
    """Predictions and labels of one batch, `[B]` each."""

    predictions: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]


def judge(scores: Tensor, labels: Tensor) -> Judged:
    """Predictions of one batch.

    Args:
        scores: `[B, classes]`, or `[T, B, classes]`, then averaged over time.
        labels: whole numbers `[B]`, below `classes`.

    Raises:
        UsageError: shapes do not fit, a label is out of range, or a score is not finite.
    """
    if scores.ndim == 3:
        scores = scores.mean(0, dtype=torch.float64)
    labels = labels.detach().cpu()
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or labels.is_floating_point():
        raise UsageError(
            f"scores {list(scores.shape)} and labels {list(labels.shape)} ({labels.dtype}) "
            "do not fit.",
            where="labels",
            fix="Give one class number per sample and a network that ends in class scores.",
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
    return Judged(scores.argmax(1).cpu().numpy(), labels.to(torch.int64).numpy())


class Accuracy:
    """Collects predictions batch by batch: 16 bytes per sample."""

    def __init__(self) -> None:
        self.parts: dict[int, Judged] = {}
        """By number of the batch, in any order."""

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Add one more batch; see `judge`."""
        self.parts[len(self.parts)] = judge(scores, labels)

    def result(self) -> AccuracyResult:
        """What was collected so far.

        Raises:
            UsageError: no sample was added.
        """
        parts = [self.parts[index] for index in sorted(self.parts)]
        if not sum(len(part.labels) for part in parts):
            raise UsageError("there is no sample to evaluate.", where="batches")
        predictions = np.concatenate([part.predictions for part in parts])
        labels = np.concatenate([part.labels for part in parts])
        hit = predictions == labels
        return AccuracyResult(
            correct=int(hit.sum()),
            count=len(labels),
            per_class={
                int(label): (int(hit[labels == label].sum()), int((labels == label).sum()))
                for label in np.unique(labels)
            },
            predictions=tuple(predictions.tolist()),
            labels=tuple(labels.tolist()),
        )


def accuracy(executor: Executor, batches: Iterable[Batch]) -> AccuracyResult:
    """Run all batches and compare the highest score with the label.

    Raises:
        UsageError: there is no sample, or see `judge`.
    """
    collected = Accuracy()
    for frames, labels in batches:
        collected.add(executor.run(frames), labels)
    return collected.result()
