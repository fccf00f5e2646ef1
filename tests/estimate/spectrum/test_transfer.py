"""Transfer functions against theory, and against SpikingJelly's neurons."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import neuron as sj

from spikeport.core.errors import UsageError
from spikeport.estimate.spectrum.transfer import Drive, NeuronChoice, as_dict, export, measure
from spikeport.estimate.spectrum.transfer.measure import _record
from spikeport.estimate.spectrum.transfer.theory import MAX_TAU, response

SMALL = Drive(steps=32, realisations=8)


@pytest.mark.parametrize("drive", [SMALL, Drive(steps=33, realisations=8, bias=-3, seed=1)])
@pytest.mark.parametrize(
    "neuron",
    [
        NeuronChoice(),
        NeuronChoice(tau=1.25),
        NeuronChoice(tau=30.0),
        NeuronChoice(decay_input=False),
        NeuronChoice("if"),
    ],
    ids=NeuronChoice.describe,
)
def test_without_threshold_theory_is_exact(neuron: NeuronChoice, drive: Drive) -> None:
    found = measure(neuron, drive)
    free = found.responses["none"]
    for measured in (free.sine_membrane, free.noise_membrane):
        np.testing.assert_allclose(np.abs(measured), np.abs(found.theory), rtol=1e-10)
        turned = np.angle(measured / found.theory)
        np.testing.assert_allclose(turned, 0, atol=1e-10)
    assert free.rate_sine == free.rate_noise == 0
    assert found.error < 1e-10


def test_gains_of_the_paper() -> None:
    """(1 - b) / (1 + b) at Nyquist, and at pi / 2, for b = 1/4, 1/2, 3/4."""
    gains = [
        np.abs(response(NeuronChoice(tau=1 / (1 - b)), np.array([0.25, 0.5]))).round(2).tolist()
        for b in (0.25, 0.5, 0.75)
    ]
    assert gains == [[0.73, 0.6], [0.45, 0.33], [0.2, 0.14]]


@pytest.mark.parametrize("reset", ["hard", "soft"])
@pytest.mark.parametrize("decay_input", [True, False])
def test_the_neuron_is_spikingjellys(reset: str, decay_input: bool) -> None:
    choice = NeuronChoice(tau=2.5, decay_input=decay_input, threshold=0.7)
    current = Drive(steps=24, amplitude=1.5, realisations=4).noise()
    membrane, spikes = _record(choice.op(reset), current, 0.4, 0)  # type: ignore[arg-type]
    node = sj.LIFNode(
        tau=2.5,
        decay_input=decay_input,
        v_threshold=0.7,
        v_reset=0.0 if reset == "hard" else None,
        step_mode="m",
        store_v_seq=True,
    )
    expected = node(current + 0.4)
    assert spikes.sum() > 10
    torch.testing.assert_close(spikes, expected, rtol=0, atol=0)
    after = membrane - spikes * (membrane if reset == "hard" else 0.7)
    torch.testing.assert_close(after, node.v_seq)


def test_with_a_threshold_theory_is_not_all() -> None:
    neuron = NeuronChoice()
    found = measure(neuron, Drive(steps=64, realisations=64))
    for reset in ("hard", "soft"):
        each = found.responses[reset]  # type: ignore[index]
        assert 0.1 < each.rate_noise < 0.4
        assert 0 < np.nanmean(each.coherence) < 0.9
        assert ((each.coherence >= 0) & (each.coherence <= 1)).all()
        assert ((each.sine_purity >= 0) & (each.sine_purity <= 1)).all()
        k, missed = found.slope(reset)  # type: ignore[arg-type]
        assert k > 0
        assert 0.1 < missed < 1


def test_a_neuron_that_never_fires_is_linear_and_has_no_spikes() -> None:
    found = measure(NeuronChoice(threshold=100.0), SMALL)
    hard = found.responses["hard"]
    np.testing.assert_allclose(hard.sine_membrane, found.theory, rtol=1e-10)
    assert hard.rate_sine == 0
    assert np.isnan(hard.coherence).all()
    assert math.isnan(found.slope("hard")[0])
    assert as_dict(found)["signals"][3]["k"] is None


def test_purity_is_the_share_at_the_frequency_that_went_in() -> None:
    """Each step fires or not as the current alone is above the threshold: a square wave."""
    neuron = NeuronChoice(tau=1 + 1e-9, threshold=1e-6)
    found = measure(neuron, Drive(steps=64, amplitude=1.0, bias=0.0, realisations=2))
    k = 1
    wave = (np.cos(2 * np.pi * k * np.arange(64) / 64) >= 1e-6).astype(float)
    power = np.abs(np.fft.fft(wave)) ** 2
    assert found.responses["hard"].sine_purity[k - 1] == pytest.approx(
        2 * power[k] / power[1:].sum(), rel=1e-6
    )


def test_the_seed_decides_about_the_noise() -> None:
    first, second, other = (Drive(steps=8, realisations=4, seed=seed).noise() for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    torch.testing.assert_close(first.mean(0), torch.zeros(4, dtype=torch.float64))


@pytest.mark.parametrize(
    "make",
    [
        lambda: NeuronChoice("izhikevich"),  # type: ignore[arg-type]
        lambda: NeuronChoice(tau=1.0),
        lambda: NeuronChoice(tau=MAX_TAU * 2),
        lambda: NeuronChoice(tau=math.nan),
        lambda: NeuronChoice(threshold=0.0),
        lambda: NeuronChoice(threshold=math.inf),
        lambda: Drive(steps=3),
        lambda: Drive(steps=1 << 20),
        lambda: Drive(realisations=1),
        lambda: Drive(amplitude=0.0),
        lambda: Drive(amplitude=math.nan),
        lambda: Drive(bias=math.inf),
    ],
)
def test_refusals(make) -> None:
    with pytest.raises(UsageError):
        make()


def test_files(tmp_path) -> None:
    found = measure(NeuronChoice("if"), SMALL)
    files = export(found, tmp_path)
    assert [file.name for file in files] == ["transfer.csv", "transfer.json", "transfer.svg"]
    before = [file.read_bytes() for file in files]
    export(measure(NeuronChoice("if"), SMALL), tmp_path)
    assert [file.read_bytes() for file in files] == before
    table = (tmp_path / "transfer.csv").read_text().splitlines()
    assert len(table) == 1 + 16
