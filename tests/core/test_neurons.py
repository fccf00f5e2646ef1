"""The fused neurons against SpikingJelly's own: spikes and membranes to the bit, gradients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neuron_pairs import SETTINGS, currents, make_pair
from spikingjelly.activation_based import surrogate
from torch import Tensor

from spikeport.core.neurons import LIFNode, engines
from spikeport.core.neurons.surrogates import STEPS

KINDS = ["LIFNode", "IFNode", "ParametricLIFNode"]
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(params=["compiled", "plain"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both engines in turn, and proof that the one that was asked for did the work."""
    asked = request.param
    monkeypatch.setenv(engines.VARIABLE, asked)
    if asked == "compiled" and engines._compiled_engine(torch.float32) is None:
        pytest.skip("no C compiler")
    return str(asked)


def layouts(x: Tensor) -> dict[str, Tensor]:
    """`x` `[T, B, C, H, W]` as it is, and in the layouts that layers leave behind."""
    return {
        "contiguous": x,
        "channels-last": x.flatten(0, 1)
        .contiguous(memory_format=torch.channels_last)
        .view(x.shape),
        "steps-apart": x.repeat_interleave(2, 0)[::2],
        "batch-first": x.transpose(0, 1).contiguous().transpose(0, 1),
        "sliced": torch.cat((x, x), 2)[:, :, : x.shape[2]],
    }


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_spikes_and_membranes_equal_over_calls_in_a_row(
    engine: str, kind: str, name: str, dtype: torch.dtype
) -> None:
    reference, ours = make_pair(kind, name)
    with torch.no_grad():
        for seed, steps in enumerate((4, 1, 7)):
            x = currents((steps, 3, 700), dtype, seed)
            expected, spikes = reference(x), ours(x)
            assert torch.equal(spikes, expected) and 0.01 < spikes.mean() < 0.9
            assert spikes.dtype == ours.v.dtype == dtype
            assert torch.equal(ours.v, reference.v)


@pytest.mark.parametrize(
    "layout", ["contiguous", "channels-last", "steps-apart", "batch-first", "sliced"]
)
def test_every_layout_gives_the_same(engine: str, layout: str) -> None:
    reference, ours = make_pair("LIFNode")
    x = layouts(currents((5, 2, 6, 7, 3)))[layout]
    gradient = currents((5, 2, 6, 7, 3), seed=3)
    results = []
    for node in (reference, ours):
        # A membrane of another layout than the input comes from the call before.
        node(x.contiguous())
        node.v = node.v.detach()
        leaf = x.detach().requires_grad_()
        spikes = node(leaf)
        (dx,) = torch.autograd.grad(spikes, leaf, gradient)
        results.append((spikes, node.v, dx))
    (spikes, v, dx), (our_spikes, our_v, our_dx) = results
    assert torch.equal(our_spikes, spikes) and torch.equal(our_v, v)
    torch.testing.assert_close(our_dx, dx, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 2, 6), (4, 2, 6, 7), (4, 2, 6, 7, 3), (4, 2, 6, 5, 4, 3)])
def test_spikes_lie_in_memory_as_those_of_spikingjelly(engine: str, shape: tuple[int, ...]) -> None:
    """So that what reads them may still view them, and convolutions find channels last."""
    x = currents(shape)
    reference, ours = make_pair("LIFNode")
    given = [x, x.transpose(-1, -2).contiguous().transpose(-1, -2)]
    if len(shape) > 3:
        given.append(x.movedim(2, -1).contiguous().movedim(-1, 2))
    for laid_out in given:
        for node in (reference, ours):
            node.reset()
        assert ours(laid_out).stride() == reference(laid_out).stride()
        assert torch.equal(ours.v, reference.v)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_everything_equal(
    engine: str, kind: str, name: str, dtype: torch.dtype
) -> None:
    found: list[tuple[Tensor, ...]] = []
    for node in make_pair(kind, name):
        node.to(dtype)
        x = currents((4, 2, 700), dtype).requires_grad_()
        start = currents((2, 700), dtype, 1).requires_grad_()
        node.v = start
        spikes = node(x)
        weight = currents((4, 2, 700), dtype, 2)
        loss = (spikes * weight).sum() + (node.v * weight[0]).sum()
        found.append(torch.autograd.grad(loss, [x, start, *node.parameters()]))
    rtol, atol = (1e-10, 1e-12) if dtype == torch.float64 else (1e-6, 2e-6)
    for expected, gradient in zip(*found, strict=True):
        assert gradient.dtype == expected.dtype and gradient.abs().sum() > 0
        # The leak has one gradient for the layer: a sum of 1,400 terms, in single precision there.
        loose = 10.0 if expected.dim() == 0 else 1.0
        torch.testing.assert_close(gradient, expected, rtol=loose * rtol, atol=loose * atol)


@pytest.mark.parametrize("detach_reset", [True, False])
@pytest.mark.parametrize("function", STEPS)
def test_every_surrogate(engine: str, function: type, detach_reset: bool) -> None:
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-10)):
        pair = make_pair("LIFNode", detach_reset=detach_reset, surrogate_function=function())
        found = []
        for node in pair:
            x = currents((3, 2, 600), dtype).requires_grad_()
            spikes = node(x)
            (dx,) = torch.autograd.grad(spikes, x, currents((3, 2, 600), dtype, 1))
            found.append((spikes, dx))
        (expected, expected_dx), (spikes, dx) = found
        assert torch.equal(spikes, expected) and dx.abs().sum() > 0
        torch.testing.assert_close(dx, expected_dx, rtol=4 * tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("settings_name", ["zoo", "soft-attached"])
def test_gradients_reach_through_calls_in_a_row(engine: str, settings_name: str) -> None:
    """Back-propagation through time over membranes that are kept between calls."""
    found = []
    for node in make_pair("LIFNode", settings_name):
        x = currents((6, 2, 50), torch.float64).requires_grad_()
        spikes = torch.cat([node(part) for part in x.split(2)])
        found.append(torch.autograd.grad(spikes, x, currents((6, 2, 50), torch.float64, 1))[0])
    torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_can_be_differentiated_again(engine: str, kind: str) -> None:
    found = []
    for node in make_pair(kind, "slow"):
        x = currents((3, 2, 20), torch.float64).requires_grad_()
        (dx,) = torch.autograd.grad(node(x).square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(dx.square().sum(), x)[0])
    assert found[0].abs().sum() > 0
    torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("threshold", [1.0, 0.1, 0.7])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_membrane_that_meets_the_threshold_fires(
    engine: str, threshold: float, dtype: torch.dtype
) -> None:
    exact = torch.tensor(threshold, dtype=dtype)
    below, above = (torch.nextafter(exact, exact + sign) for sign in (-1.0, 1.0))
    x = torch.stack((below, exact, above)).repeat(1, 400)
    reference, ours = make_pair("IFNode", v_threshold=threshold, v_reset=0.0)
    spikes = ours(x)
    assert torch.equal(spikes, reference(x))
    assert spikes[0].tolist() == [0.0, 1.0, 1.0] * 400


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=12),
    st.floats(1.0625, 20, width=32),
    st.floats(-1, 1.5, width=32),
    st.one_of(st.none(), st.floats(-1, 1, width=32)),
)
def test_any_setting_on_any_train_of_currents(
    train: list[float], tau: float, threshold: float, reset: float | None
) -> None:
    x = torch.tensor(train).reshape(-1, 1)
    reference, ours = make_pair("LIFNode", tau=tau, v_threshold=threshold, v_reset=reset)
    with pytest.MonkeyPatch.context() as patch:
        for choice in ("compiled", "plain"):
            patch.setenv(engines.VARIABLE, choice)
            for node in (reference, ours):
                node.reset()
            assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)


def test_extreme_currents(engine: str) -> None:
    with torch.no_grad():
        for name in SETTINGS:
            x = torch.tensor([[torch.inf, -torch.inf, torch.nan, 3e38, -3e38, 1e-45, -0.0]] * 3)
            reference, ours = make_pair("LIFNode", name)
            assert torch.equal(ours(x), reference(x))
            torch.testing.assert_close(ours.v, reference.v, rtol=0, atol=0, equal_nan=True)


def test_slopes_far_from_the_threshold_vanish(engine: str) -> None:
    x = torch.tensor([[-1e30, -200.0, -50.0, 50.0, 200.0, 1e30]], requires_grad=True)
    for function in (surrogate.Sigmoid(4.0), surrogate.Erf(), surrogate.PiecewiseExp()):
        node = make_pair("IFNode", surrogate_function=function)[1]
        (dx,) = torch.autograd.grad(node(x).sum(), x)
        assert torch.isfinite(dx).all() and dx.abs().max() < 1e-18


def test_a_closed_leak(engine: str) -> None:
    """sigmoid(w) underflows to 0: the input is cut off, and nothing is divided by it."""
    for node in make_pair("ParametricLIFNode"):
        torch.nn.init.constant_(node.w, -200.0)
        x = currents((3, 2, 5)).requires_grad_()
        node.v = torch.full((2, 5), 0.5, requires_grad=True)
        spikes = node(x)
        dx, dw = torch.autograd.grad(spikes.sum(), [x, node.w])
        assert not dx.any() and not dw.any() and not spikes.any()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_sizes_do_not_change_results(engine: str, kind: str) -> None:
    """Large enough to be shared out among threads, and no multiple of any block or vector."""
    x, gradient = currents((2, 3, 30_011)), currents((2, 3, 30_011), seed=1)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            node = make_pair(kind)[1]
            leaf = x.clone().requires_grad_()
            spikes = node(leaf)
            results = torch.autograd.grad(spikes, [leaf, *node.parameters()], gradient)
            found.append([spikes, node.v, *results])
    finally:
        torch.set_num_threads(before)
    # The last bits of torch's own sigmoid depend on where its threads' parts end.
    exact = None if engine == "compiled" else 2
    for other in found[1:]:
        assert all(map(torch.equal, found[0][:exact], other[:exact]))


def test_two_threads_at_once(engine: str) -> None:
    x = currents((4, 2, 40_000))
    expected = make_pair("LIFNode")[0](x)

    def job(_: int) -> Tensor:
        leaf = x.clone().requires_grad_()
        spikes = make_pair("LIFNode")[1](leaf)
        (dx,) = torch.autograd.grad(spikes.sum(), leaf)
        assert torch.equal(spikes, expected)
        return dx

    with ThreadPoolExecutor(2) as pool:
        gradients = list(pool.map(job, range(8)))
    assert all(torch.equal(gradients[0], gradient) for gradient in gradients)


def test_halving_changes_the_last_bit_only() -> None:
    x = currents((4, 3, 700))
    exact, halved = make_pair("LIFNode", "zoo")[1], make_pair("LIFNode", "zoo")[1]
    halved.halving = True
    exact(x[:1]), halved(x[:1])
    torch.testing.assert_close(halved.v, exact.v, rtol=2e-7, atol=1e-7)
    assert (exact(x) == halved(x)).float().mean() > 0.999


def test_halving_is_without_effect_on_other_settings() -> None:
    x = currents((4, 3, 700))
    for name in ("slow", "soft", "undecayed", "undecayed-half"):
        reference, ours = make_pair("LIFNode", name)
        ours.halving = True
        assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)


def test_size_chooses_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    node = LIFNode(step_mode="m")
    small = engines.engine_for(node.dynamics(), torch.zeros(4, 10), False)
    assert small is engines._PLAIN
    large: Any = engines.engine_for(node.dynamics(), torch.zeros(4, engines.LARGE), False)
    assert large is (engines._compiled_engine(torch.float32) or engines._PLAIN)
