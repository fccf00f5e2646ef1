"""Accuracy, alone and in the same pass as the tally."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.estimate import Accuracy, accuracy, estimate

SCORES = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [0.0, 4.0, 0.0]])


def test_by_hand() -> None:
    collected = Accuracy()
    collected.add(SCORES[:3], torch.tensor([0, 1, 1]))
    collected.add(SCORES[3:], torch.tensor([1]))
    result = collected.result()
    assert (result.correct, result.count, result.top1) == (3, 4, 0.75)
    assert result.per_class == {0: (1, 1), 1: (2, 3)}
    assert result.predictions == (0, 1, 2, 1)
    assert result.labels == (0, 1, 1, 1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 9))
def test_ranks_by_brute_force(seed: int, classes: int, samples: int) -> None:
    make = torch.Generator().manual_seed(seed)
    # Small whole numbers, so that many scores are equal.
    scores = torch.randint(0, 4, (samples, classes), generator=make).float()
    labels = torch.randint(0, classes, (samples,), generator=make)
    found = Accuracy()
    found.add(scores, labels)
    result = found.result()
    for k in range(1, classes + 1):
        inside = 0
        for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
            order = sorted(range(classes), key=lambda c: (-row[c], c))
            inside += label in order[:k]
        assert result.top(k).hits == inside
    assert result.hits == [a == b for a, b in zip(result.predictions, result.labels, strict=True)]
    assert result.confidences == tuple(torch.softmax(scores.double(), 1).amax(1).tolist())
    assert result.scores == tuple(scores.amax(1).tolist())


def test_scores_per_step_are_averaged() -> None:
    collected = Accuracy()
    collected.add(torch.stack([SCORES, -2 * SCORES]), torch.tensor([1, 0, 0, 0]))
    assert collected.result().correct == 4


def test_one_run_serves_tally_and_accuracy(small_net: Graph, frames: Tensor) -> None:
    class Once:
        def __init__(self) -> None:
            self.inner, self.graph, self.runs = Interpreter(small_net), small_net, 0

        def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
            self.runs += 1
            return self.inner.run(frames, tap)

    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    executor = Once()
    report = estimate(executor, [(frames, labels)])
    assert executor.runs == 1
    assert report.accuracy == accuracy(Interpreter(small_net), [(frames, labels)])
    assert estimate(executor, [(frames, None)]).accuracy is None


@pytest.mark.parametrize(
    ("scores", "labels", "why"),
    [
        (SCORES, torch.tensor([0, 1]), "do not fit"),
        (SCORES, torch.tensor([0, 1, 2, 3]), "3 classes"),
        (SCORES, torch.tensor([0, 1, 2, -1]), "3 classes"),
        (SCORES, torch.tensor([0.0, 1.0, 2.0, 1.0]), "do not fit"),
        (SCORES[0], torch.tensor([0]), "do not fit"),
        (SCORES * float("nan"), torch.tensor([0, 1, 2, 1]), "NaN"),
    ],
)
def test_refusals(scores: Tensor, labels: Tensor, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Accuracy().add(scores, labels)


def test_no_samples(small_net: Graph) -> None:
    with pytest.raises(UsageError, match="no sample"):
        accuracy(Interpreter(small_net), [])
    with pytest.raises(UsageError, match="no sample"):
        estimate(Interpreter(small_net), [])


@pytest.mark.parametrize(
    "options",
    [{"energy": "horowitz"}, {"interval": "norml"}, {"static_image": "once"}, {"papers": ["x"]}],
)
def test_unknown_names_cost_no_run(small_net: Graph, options: dict[str, Any]) -> None:
    class Unused:
        graph = small_net

        def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
            raise AssertionError

    with pytest.raises(UnknownNameError):
        estimate(Unused(), [(torch.zeros(4, 1, 2, 6, 6), None)], **options)
