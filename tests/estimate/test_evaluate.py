"""Accuracy, alone and in the same pass as the tally."""

from __future__ import annotations

from typing import Any

import pytest
import torch
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
