"""Spectra along time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spikeport.estimate.spectrum.grids import step_grid
from spikeport.estimate.spectrum.temporal import StepSpectrum


def of(value: torch.Tensor) -> StepSpectrum:
    found = StepSpectrum(len(value))
    found.add(value)
    return found


def sequence(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1)


def test_exact_cases_of_four_steps() -> None:
    """T = 4 has k / T = 1/4, which is low, and 1/2, which is high."""
    alternating = of(sequence(1, 0, 1, 0))
    np.testing.assert_allclose(alternating.power, [0.25, 0, 0.25])
    assert alternating.shares.values[0] == 1
    slow = of(sequence(1, 1, 0, 0))
    # |1 + (-i)|^2 / 16 = 1/8, of k = 1 and of its mirror image.
    np.testing.assert_allclose(slow.power, [0.25, 0.125, 0], atol=1e-15)
    assert slow.shares.values[0] == 0
    # An impulse is white: 1 of 3 frequencies is high.
    impulse = of(sequence(0, 1, 0, 0))
    np.testing.assert_allclose(impulse.power, 1 / 16)
    assert impulse.shares.values[0] == pytest.approx(1 / 3) == pytest.approx(step_grid(4).white)


@pytest.mark.parametrize("steps", [2, 3])
def test_few_steps_have_nothing_low(steps: int) -> None:
    assert step_grid(steps).white is None
    assert np.isnan(of(torch.rand(steps, 2, 3)).shares.values).all()


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 8, 9])
def test_parseval_and_a_loop(steps: int) -> None:
    value = torch.randn(
        (steps, 3, 2, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    found = of(value)
    weighted = (found.power * found.grid.weights).sum()
    assert weighted == pytest.approx(float(value.square().mean()), rel=1e-12)
    transformed = np.abs(np.fft.fft(value.numpy(), axis=0)) ** 2
    for sample in range(3):
        power = transformed[:, sample].reshape(steps, -1).sum(1)
        k = np.minimum(np.arange(steps), steps - np.arange(steps))
        share = found.shares.values[sample]
        if steps > 3:
            assert share == pytest.approx(power[4 * k > steps].sum() / power[1:].sum())
        else:
            assert math.isnan(share)


def test_static_images_have_only_dc() -> None:
    """Exactly: nothing that rounding leaves counts as power."""
    shown = torch.rand(2, 3, 4, 4).expand(7, 2, 3, 4, 4)
    found = of(shown)
    assert found.power[0] > 0
    assert not found.power[1:].any()
    assert np.isnan(found.shares.values).all()


def test_batches_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    value = torch.rand(5, 7, 3, 2, 2)
    whole, parts = of(value), StepSpectrum(5)
    monkeypatch.setattr("spikeport.estimate.spectrum.temporal._CHUNK", 1)
    for some in (value[:, :3], value[:, 3:4], value[:, 4:]):
        parts.add(some)
    np.testing.assert_allclose(parts.power, whole.power, rtol=1e-13)
    np.testing.assert_allclose(parts.shares.values, whole.shares.values, rtol=1e-12)


def test_values_without_features_are_sequences_too() -> None:
    assert of(torch.rand(4, 3)).sequences == 3


def test_values_must_be_finite() -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        of(sequence(0, math.inf, 0, 0))
