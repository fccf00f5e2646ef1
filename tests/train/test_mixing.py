"""What changes samples and rates: mixing, the wide policy, schedules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from blobs import on_devices
from torch import nn

from spikeport.train.engines.mixing import Criterion, mix
from spikeport.train.randomness import seeded
from spikeport.train.schedule import make_optimizer, make_schedule
from spikeport.train.wide import wide


class _Fixed:
    """What timm's Mixup would do, with no chance in it: cut the top left quarter."""

    def __call__(
        self, flat: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert flat.dim() == 4
        other = flat.flip(0)
        flat[:, :, :4, :4] = other[:, :, :4, :4]
        return flat, nn.functional.one_hot(labels, 2).float()


def test_all_frames_of_a_recording_are_mixed_alike_and_in_space() -> None:
    frames = torch.stack([torch.zeros(3, 2, 8, 8), torch.ones(3, 2, 8, 8)])
    mixed, targets = mix(_Fixed(), frames, torch.tensor([0, 1]))
    assert mixed.shape == frames.shape and targets.shape == (2, 2)
    assert (mixed[0, :, :, :4, :4] == 1).all() and (mixed[0, :, :, 4:] == 0).all()
    # What was given is not changed.
    assert (frames[0] == 0).all()


def test_mixing_ends_with_its_epoch_and_depends_on_the_place_only() -> None:
    criterion = Criterion(on_devices(), 4)
    frames = torch.rand(4, 2, 2, 16, 16)
    labels = torch.tensor([0, 1, 0, 1])
    seen: list[torch.Tensor] = []

    def forward(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return torch.stack([x.mean((1, 2, 3, 4)), x.amax((1, 2, 3, 4))], 1)

    for place in ((0, 0, 0), (0, 0, 0), (0, 1, 0), (2, 0, 0)):
        criterion(forward, frames, labels, place)
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[0], frames) and torch.equal(seen[3], frames)


def test_wide_policy_does_what_it_says() -> None:
    frames = torch.zeros(3, 2, 32, 32)
    frames[:, :, 12:20, 12:20] = 2
    changed = []
    for number in range(200):
        with seeded(0, number):
            changed.append(wide(frames))
    for one in changed:
        assert one.shape == frames.shape and set(one.unique().tolist()) <= {0.0, 2.0}
        assert torch.equal(one[0], one[2])
    same = sum(torch.equal(one, frames) for one in changed)
    # A sixth is nothing; small magnitudes move no pixel, and some squares are cut beside it.
    assert 0.25 < same / 200 < 0.7
    assert len({one.numpy().tobytes() for one in changed}) > 40
    columns = [one[0, 0].sum(0).nonzero().min().item() for one in changed if one.any()]
    # Shifts move by up to 5 pixels from column 12; shears and rotations reach out a little more.
    assert min(columns) >= 5


def test_seeding_leaves_no_trace() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    with seeded(1, 2):
        one = torch.rand(3), np.random.rand()
    with seeded(1, 2):
        other = torch.rand(3), np.random.rand()
    assert torch.equal(one[0], other[0]) and one[1] == other[1]
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]


def _rates(epochs: int, **changes: object) -> list[float]:
    recipe = on_devices(epochs=epochs, **changes)
    optimizer = make_optimizer(nn.Linear(2, 2), recipe)
    move = make_schedule(optimizer, recipe)
    rates = []
    for epoch in range(recipe.passes):
        move(epoch, 0.0)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_schedule_of_the_published_programs() -> None:
    """timm's cosine: the warm-up rises over its curve, the cool-down stays at the end."""
    told = {"kind": "cosine", "min_lr": 1e-5, "warmup_lr": 1e-6, "cooldown_epochs": 3}
    rates = _rates(20, learning_rate=1e-3, warmup_epochs=5, schedule=told)
    assert len(rates) == 23 and rates[-3:] == [1e-5] * 3
    assert rates[:5] == pytest.approx([1e-6 + (1e-3 - 1e-6) * e / 5 for e in range(5)])
    expected = [1e-5 + (1e-3 - 1e-5) / 2 * (1 + math.cos(math.pi * e / 20)) for e in range(5, 20)]
    assert rates[5:20] == pytest.approx(expected)


def test_smooth_cosine_ends_at_its_lowest_rate() -> None:
    rates = _rates(10, learning_rate=1e-3, warmup_epochs=2, schedule={"min_lr": 1e-4})
    assert rates[0] == 0 and rates[2] == pytest.approx(1e-3)
    assert rates[6] == pytest.approx((1e-3 + 1e-4) / 2)


def test_biases_and_batch_norms_do_not_decay() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    groups = make_optimizer(model, on_devices(weight_decay=0.1)).param_groups
    assert [len(group["params"]) for group in groups] == [1, 3]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "lamb", "lion", "adafactor", "rmsprop"])
def test_optimisers_of_timm_take_what_they_know(name: str) -> None:
    told = {"name": name, "betas": (0.8, 0.9), "momentum": 0.7}
    group = make_optimizer(nn.Linear(2, 2), on_devices(optimizer=told)).param_groups[0]
    assert group["lr"] == 0.01
    assert group.get("betas", (0.8, 0.9)) == (0.8, 0.9)
    assert group.get("momentum", 0.7) == 0.7
