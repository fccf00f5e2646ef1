"""Attacks: closed forms on linear networks, bounds, and that the network is left as it is."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_images import MEAN, STD, pictures, trained
from torch import Tensor, nn

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.attacks import ATTACKS, SPACES, Victim
from spikeport.train.attacks.pgd import EPS, project, random_start

WEIGHT = torch.tensor([[1.0, -2.0, 0.5, 0.0], [-1.0, 1.0, 0.25, 0.0]])
TOWARDS_1 = torch.tensor([-1.0, 1.0, -1.0, 0.0])
"""Sign of w[1] - w[0]: where a sample of class 0 is driven."""


class Linear(nn.Module):
    """Pixels `[B, 1, 2, 2]` to two scores."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(WEIGHT.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight.T


def craft(
    name: str, victim: Victim, x: Tensor, labels: Tensor, levels: list[float]
) -> list[Tensor]:
    return list(ATTACKS[name].craft(victim, x, labels, range(len(x)), levels, 0))


def digits(count: int) -> tuple[Tensor, Tensor]:
    pixels, labels = pictures("test")
    step = len(pixels) // count
    x = torch.from_numpy(pixels[::step][:count]).float().unsqueeze(1) / 255
    return x, torch.from_numpy(labels[::step][:count])


def test_fgsm_on_a_linear_network_is_eps_times_the_sign_of_the_weights() -> None:
    x, labels = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 1])
    # Dividing by a positive deviation and subtracting a mean change no sign.
    for victim in (Victim(Linear()), Victim(Linear(), [0.2], [0.7])):
        small, large = craft("fgsm", victim, x, labels, [0.1, 0.6])
        for label, sign in ((0, TOWARDS_1), (1, -TOWARDS_1)):
            assert torch.equal(small[label].flatten(), 0.5 + 0.1 * sign)
            assert torch.equal(large[label].flatten(), (0.5 + 0.6 * sign).clamp(0, 1))


def test_the_gradient_is_that_of_the_cross_entropy_through_the_normalisation() -> None:
    x, labels = torch.rand(3, 1, 2, 2), torch.tensor([0, 1, 0])
    got = Victim(Linear(), [0.2], [0.5]).gradient(x, labels)
    chance = torch.softmax((x.flatten(1) - 0.2) / 0.5 @ WEIGHT.T, 1)
    wrong = chance - nn.functional.one_hot(labels, 2)
    torch.testing.assert_close(got.flatten(1), wrong @ WEIGHT / 0.5)


def test_pgd_on_a_linear_network_ends_in_the_corner() -> None:
    x, labels = torch.full((1, 1, 2, 2), 0.5), torch.tensor([0])
    start, end = craft("pgd", Victim(Linear()), x, labels, [0, 8])
    moves = TOWARDS_1 != 0
    torch.testing.assert_close(
        end.flatten()[moves], (0.5 + EPS * TOWARDS_1)[moves], rtol=0, atol=1e-7
    )
    # Where the gradient is zero the random start stays.
    assert torch.equal(start.flatten()[~moves], end.flatten()[~moves])
    assert ((start - x).abs() <= EPS).all() and (start != x).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), eps=st.floats(0, 0.5))
def test_projection_and_start_keep_to_both_boxes(seed: int, eps: float) -> None:
    make = torch.Generator().manual_seed(seed)
    x = torch.rand(3, 1, 4, 4, generator=make)
    moved = x + torch.randn(x.shape, generator=make)
    for point in (project(moved, x, eps), random_start(x, eps, [4, 7, 1], seed)):
        assert ((point - x).abs() <= eps + 1e-6).all()
        assert ((point >= 0) & (point <= 1)).all()
    inside = x + 0.5 * eps * (torch.rand(x.shape, generator=make) - 0.5)
    torch.testing.assert_close(project(inside, x, eps), inside.clamp(0, 1))
    # The start of a sample does not depend on the others.
    alone = random_start(x[1:2], eps, [7], seed)
    assert torch.equal(alone, random_start(x, eps, [4, 7, 1], seed)[1:2])


def test_levels_of_pgd_are_moments_of_one_run() -> None:
    x, labels = digits(8)
    victim = Victim(trained(), [MEAN], [STD])
    few, many = craft("pgd", victim, x, labels, [2, 5])
    assert torch.equal(craft("pgd", victim, x, labels, [5])[0], many)
    assert not torch.equal(few, many)
    for found in (few, many):
        assert ((found - x).abs() <= EPS + 1e-6).all()


def test_a_trained_network_loses_by_more_steps_and_larger_eps() -> None:
    x, labels = digits(200)
    victim = Victim(trained(), [MEAN], [STD])

    def loss(inputs: Tensor) -> float:
        return float(nn.functional.cross_entropy(victim.scores(inputs), labels))

    def right(inputs: Tensor) -> float:
        return float((victim.scores(inputs).argmax(1) == labels).float().mean())

    assert right(x) > 0.8
    pgd = [loss(found) for found in craft("pgd", victim, x, labels, [0, 1, 3, 10])]
    assert pgd == sorted(pgd)
    assert pgd[-1] > 1.3 * loss(x)
    fgsm = craft("fgsm", victim, x, labels, [0.0, 0.025, 0.05, 0.1])
    assert [loss(found) for found in fgsm] == sorted(loss(found) for found in fgsm)
    assert right(fgsm[-1]) < right(x) - 0.3
    # Noise of the same size does far less: the gradient knows where to go.
    noise = 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).sign()
    assert right((x + noise).clamp(0, 1)) > right(fgsm[-1]) + 0.2


def test_the_published_space_cuts_normalised_values_even_without_attack() -> None:
    x, labels = digits(100)
    made = {}
    for name, space in SPACES.items():
        victim = space.victim(trained(), [MEAN], [STD], False)
        entered = space.enter(x, [MEAN], [STD])
        (found,) = craft("fgsm", victim, entered, labels, [0.0])
        made[name] = (victim.scores(entered), victim.scores(found), entered, found)
    clean, shown, entered, found = made["pixels"]
    assert torch.equal(entered, x) and torch.equal(found, x) and torch.equal(clean, shown)
    published, cut, entered, found = made["normalised-clamp"]
    assert torch.equal(published, clean)
    assert torch.equal(found, entered.clamp(0, 1))
    assert (entered < 0).float().mean() > 0.5 and not torch.equal(cut, published)


def test_the_network_is_left_as_it_is() -> None:
    net = trained().train()
    net.head.requires_grad_(False)
    net.conv.weight.grad = torch.ones_like(net.conv.weight)
    net.lif(torch.ones(2, 1, 3))  # a membrane that must stay
    before = copy.deepcopy(net.state_dict()), net.lif.v.clone()
    x, labels = digits(4)
    victim = Victim(net, [MEAN], [STD])
    craft("pgd", victim, x, labels, [3])
    craft("fgsm", victim, x, labels, [0.1])
    victim.scores(x)
    state, membrane = before
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert torch.equal(net.lif.v, membrane)
    assert all(module.training for module in net.modules())
    assert torch.equal(net.conv.weight.grad, torch.ones_like(net.conv.weight))
    assert net.norm.weight.grad is None and net.norm.weight.requires_grad
    assert not net.head.weight.requires_grad
    assert net.norm.num_batches_tracked == state["norm.num_batches_tracked"]


def test_frames_of_a_model_that_reads_time_first() -> None:
    class Steps(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape == (5, 2, 1, 2, 2)
            return x.flatten(2) @ WEIGHT.T

    x = torch.full((2, 5, 1, 2, 2), 0.5)
    (found,) = craft("fgsm", Victim(Steps(), time_first=True), x, torch.tensor([0, 1]), [0.1])
    assert torch.equal(found[0, 3].flatten(), 0.5 + 0.1 * TOWARDS_1)


def test_refusals() -> None:
    class Cut(Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.detach()).detach()

    class Broken(Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) / 0

    x, labels = torch.rand(2, 1, 2, 2), torch.tensor([0, 1])
    with pytest.raises(UsageError, match="no gradient"):
        Victim(Cut()).gradient(x, labels)
    with pytest.raises(UsageError, match="NaN"):
        Victim(Broken()).gradient(x, labels)
    with pytest.raises(UnknownNameError, match="fgsm"):
        ATTACKS["fgms"]
