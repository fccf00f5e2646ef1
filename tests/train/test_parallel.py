"""Several workers compute the gradient that one computes."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikeport.train.models import create_model
from spikeport.train.models.neuron import halve_sums
from spikeport.train.parallel import parallel_learner

LOSS = functools.partial(functional.cross_entropy, reduction="sum")


def _model() -> nn.Module:
    torch.manual_seed(0)
    model = create_model("max_former_digits", dim=16, heads=2, image_size=(16, 16)).double()
    halve_sums(model)
    return model


def _gradients(model: nn.Module, workers: int, samples: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(samples, 2, 2, 16, 16, generator=generator, dtype=torch.float64) * 3
    labels = torch.randint(0, 10, (samples,), generator=generator)
    with parallel_learner(model, LOSS, workers) as learn:
        loss, right = learn(frames, labels)
    assert loss > 0 and 0 <= right <= samples
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


@pytest.mark.parametrize(("workers", "samples"), [(2, 8), (3, 10), (4, 3)])
def test_without_batch_statistics_the_number_of_workers_makes_no_difference(
    workers: int, samples: int
) -> None:
    model = _model().eval()
    alone = [gradient.clone() for gradient in _gradients(model, 1, samples)]
    shared = _gradients(model, workers, samples)
    assert len(alone) == len(list(model.parameters()))
    for one, other in zip(alone, shared, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-9, atol=1e-12)


def test_running_statistics_are_those_of_the_first_part() -> None:
    model, first = _model().train(), _model().train()
    _gradients(model, 2, 8)
    generator = torch.Generator().manual_seed(1)
    frames = torch.rand(8, 2, 2, 16, 16, generator=generator, dtype=torch.float64) * 3
    first(frames[:4])
    for (name, one), other in zip(model.named_buffers(), first.buffers(), strict=True):
        assert torch.equal(one, other), name
