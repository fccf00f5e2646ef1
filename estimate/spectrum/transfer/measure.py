"""Gain and phase of a neuron, measured with sinusoids and with white noise.

Both inputs repeat every T steps and the first repetitions are not measured, so that transients are
gone and each frequency k / T falls on one bin: no window, no leakage (periodic excitation, as R.
Pintelon and J. Schoukens, System Identification, 2nd ed., 2012, chapters 2 and 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spikeport.convert.ops import IF, LIF
from spikeport.core.errors import UsageError
from spikeport.estimate.spectrum.grids import step_grid
from spikeport.estimate.spectrum.transfer.theory import (
    Complexes,
    Floats,
    NeuronChoice,
    Reset,
    response,
)

RESETS: tuple[Reset, ...] = ("none", "hard", "soft")
SETTLED = 1e-17
"""What may be left of the membrane at the start when measuring begins."""
MOST = 1 << 23
"""Numbers of one recording, `[T, T // 2]` or `[T, realisations]`."""
REALISATIONS = 1024


@dataclass(frozen=True)
class Drive:
    """The input current.

    Attributes:
        steps: T, the period and the steps measured.
        amplitude: of the sinusoid; the noise has the same power, its standard deviation is
            amplitude / sqrt 2.
        bias: constant current added to it. Left out where there is no threshold: a linear system
            only shifts with it (LIF) or runs away (IF).
        realisations: of the noise, over which cross-spectra are averaged.
        seed: of the noise.

    Raises:
        UsageError: the settings make no measurement, or too large a one.
    """

    steps: int = 256
    amplitude: float = 0.5
    bias: float = 1.0
    realisations: int = REALISATIONS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 4:
            raise UsageError(
                "fewer than 4 steps have no low and high frequency.",
                where=f"steps {self.steps}",
                fix="Take more; 256 is usual.",
            )
        if self.steps * max(self.steps // 2, self.realisations) > MOST or self.realisations < 2:
            raise UsageError(
                f"{self.steps} steps and {self.realisations} realisations are out of range.",
                where="steps",
                fix=f"Take at least 2 realisations, and at most {math.isqrt(2 * MOST):,} steps.",
            )
        if not 0 < self.amplitude < math.inf or not math.isfinite(self.bias):
            raise UsageError(
                "amplitude and bias must be finite, and the amplitude above 0.",
                where=f"amplitude {self.amplitude:g}, bias {self.bias:g}",
                fix="Give both; without an amplitude it is half of the bias.",
            )

    @property
    def frequency(self) -> Floats:
        """k / T in cycles per step, k = 1 .. T // 2."""
        return np.arange(1, self.steps // 2 + 1) / self.steps

    def sinusoids(self) -> Tensor:
        """`[T, T // 2]`, one frequency per column, without bias."""
        n = torch.arange(self.steps, dtype=torch.float64)
        k = torch.arange(1, self.steps // 2 + 1)
        # Whole turns are taken off first: cos of a large number loses digits.
        turns = (n[:, None] * k) % self.steps / self.steps
        return self.amplitude * torch.cos(2 * math.pi * turns)

    def noise(self) -> Tensor:
        """`[T, realisations]`, white, the mean of each taken off, without bias."""
        make = torch.Generator().manual_seed(self.seed)
        shape = (self.steps, self.realisations)
        drawn = torch.randn(shape, generator=make, dtype=torch.float64)
        drawn -= drawn.mean(0)
        return drawn * self.amplitude / math.sqrt(2)


@dataclass(frozen=True, eq=False)
class Response:
    """What came out under one reset, by frequency k / T, k = 1 .. T // 2.

    Attributes:
        reset: "none" has no threshold.
        sine_membrane: membrane / input at the frequency of the sinusoid.
        sine_spikes: spikes / input there.
        sine_purity: share of the spikes' power (DC left out) at the frequency that went in; 1 of a
            linear system, NaN without spikes.
        noise_membrane, noise_spikes: cross-spectrum / power of the input.
        coherence: |cross-spectrum|^2 / (power in x power of the spikes): the share of the spikes'
            power that follows linearly from the input; NaN without spikes.
        rate_sine, rate_noise: spikes per step, mean.
    """

    reset: Reset
    sine_membrane: Complexes
    sine_spikes: Complexes
    sine_purity: Floats
    noise_membrane: Complexes
    noise_spikes: Complexes
    coherence: Floats
    rate_sine: float
    rate_noise: float


@dataclass(frozen=True, eq=False)
class Transfer:
    """Theory and measurement of one neuron.

    Attributes:
        frequency: cycles per step, `[T // 2]`.
        theory: H of the membrane, `[T // 2]`.
        responses: by reset.
    """

    neuron: NeuronChoice
    drive: Drive
    frequency: Floats
    theory: Complexes
    responses: dict[Reset, Response]

    @property
    def error(self) -> float:
        """Largest |measured / H - 1| of the neuron without threshold, sinusoids and noise."""
        free = self.responses["none"]
        ratios = np.stack([free.sine_membrane, free.noise_membrane]) / self.theory
        return float(np.abs(ratios - 1).max())

    def slope(self, reset: Reset, which: str = "noise_spikes") -> tuple[float, float]:
        """k of spikes = k H fitted to gains by least squares, and what it misses.

        Returns:
            k, and sqrt(sum (gain - k |H|)^2 / sum gain^2); NaN without spikes.
        """
        gain, expected = np.abs(getattr(self.responses[reset], which)), np.abs(self.theory)
        if not gain.any():
            return math.nan, math.nan
        k = float((gain * expected).sum() / (expected**2).sum())
        left = float(((gain - k * expected) ** 2).sum() / (gain**2).sum())
        return k, math.sqrt(left)


def measure(neuron: NeuronChoice, drive: Drive) -> Transfer:
    """Drive the neuron without threshold, with hard and with soft reset.

    The arithmetic is that of the graph's neurons (`convert.ops`), in float64. The membrane is the
    one that is compared with the threshold, before it is reset.
    """
    responses = {reset: _response(neuron, drive, reset) for reset in RESETS}
    frequency = drive.frequency
    return Transfer(neuron, drive, frequency, response(neuron, frequency), responses)


def _response(neuron: NeuronChoice, drive: Drive, reset: Reset) -> Response:
    op = neuron.op(reset)
    bias = 0.0 if reset == "none" else drive.bias
    warm_up = _warm_up(neuron, drive.steps)
    sine, rate_sine = _spectra(op, drive.sinusoids(), bias, warm_up)
    noise, rate_noise = _spectra(op, drive.noise(), bias, warm_up)
    # Column k of the sinusoids holds its own frequency in row k.
    x, v, s = (np.diagonal(each) for each in sine)
    return Response(
        reset=reset,
        sine_membrane=v / x,
        sine_spikes=s / x,
        sine_purity=_purity(sine[2], drive.steps),
        noise_membrane=_cross(noise[0], noise[1]),
        noise_spikes=_cross(noise[0], noise[2]),
        coherence=_coherence(noise[0], noise[2]),
        rate_sine=rate_sine,
        rate_noise=rate_noise,
    )


def _spectra(
    op: LIF | IF, current: Tensor, bias: float, warm_up: int
) -> tuple[list[Complexes], float]:
    """Of input, membrane and spikes, `[T // 2, columns]` without DC; and spikes per step."""
    membrane, spikes = _record(op, current, bias, warm_up)
    signals = (current, membrane, spikes)
    return [torch.fft.rfft(each, dim=0)[1:].numpy() for each in signals], float(spikes.mean())


def _warm_up(neuron: NeuronChoice, steps: int) -> int:
    """Repetitions of the input after which the membrane has forgotten where it started."""
    if neuron.pole == 1:
        # It never forgets a constant, which no frequency but DC sees.
        return 1
    return math.ceil(math.log(SETTLED) / math.log(neuron.pole) / steps) + 1


def _record(op: LIF | IF, current: Tensor, bias: float, warm_up: int) -> tuple[Tensor, Tensor]:
    """Membrane before reset and spikes, `[T, columns]`, of the last repetition."""
    membrane, spikes = torch.empty_like(current), torch.empty_like(current)
    driven = current + bias
    state = op.initial(driven[0])
    for _ in range(warm_up + 1):
        for step, x in enumerate(driven):
            membrane[step] = op.membrane(state, x)
            state, spikes[step] = op.step(state, x)
    return membrane, spikes


def _purity(spectra: Complexes, steps: int) -> Floats:
    """Of column k the share of power at k; each frequency but Nyquist stands for two."""
    power = np.abs(spectra) ** 2 * step_grid(steps).weights[1:, None]
    return _ratio(np.diagonal(power), power.sum(0))


def _cross(x: Complexes, y: Complexes) -> Complexes:
    result: Complexes = (x.conj() * y).sum(1) / (np.abs(x) ** 2).sum(1)
    return result


def _coherence(x: Complexes, y: Complexes) -> Floats:
    crossed = np.abs((x.conj() * y).sum(1)) ** 2
    return _ratio(crossed, (np.abs(x) ** 2).sum(1) * (np.abs(y) ** 2).sum(1))


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
