"""Two-dimensional spectra of the maps of one edge."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spikeport.estimate.spectrum.grids import Floats, map_grid
from spikeport.estimate.spectrum.shares import Shares

_CHUNK = 1 << 21
"""Elements transformed at once: 32 MB of complex numbers."""


class MapSpectrum:
    """Means over maps (steps, samples, channels) of |F|, |F|^2 and log(1 + |F|), F = fft2(map).

    Kept are three `[H, W]` sums and one share per sample.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.grid = map_grid(height, width)
        self.maps = 0
        self.shares = Shares(self.grid)
        self._amplitude, self._power, self._log = np.zeros((3, height, width // 2 + 1))

    def add(self, maps: Tensor) -> None:
        """Add `[T, B, C, H, W]`.

        Raises:
            ValueError: a value is not finite.
        """
        per_sample = maps[:, :1].numel()
        for part in torch.split(maps, max(1, _CHUNK // max(per_sample, 1)), dim=1):
            power = map_power(part)
            of_samples = power.sum((0, 2))
            self.shares.add(of_samples)
            self._power += of_samples.sum(0).cpu().numpy()
            amplitude = power.sqrt_()
            self._amplitude += amplitude.sum((0, 1, 2)).cpu().numpy()
            self._log += amplitude.log1p_().sum((0, 1, 2)).cpu().numpy()
        self.maps += maps[..., 0, 0].numel()

    @property
    def amplitude(self) -> Floats:
        """Mean |F|, `[H, W]` in the order of `fft2`."""
        return _mirrored(self._amplitude, self.width) / self.maps

    @property
    def power(self) -> Floats:
        """Mean |F|^2 / (H W)^2, `[H, W]`; its sum is the mean square of the values (Parseval)."""
        return _mirrored(self._power, self.width) / self.maps / (self.height * self.width) ** 2

    @property
    def diagonal(self) -> tuple[Floats, Floats] | None:
        """Relative log amplitude, and its frequencies in units of Nyquist along each axis.

        fft2, fftshift, log(1 + |F|), mean over the maps; the second half of the diagonal minus its
        first value, which is DC. The recipe of Max-Former's first author
        (github.com/bic-L/Spiking-Wavelet-Transformer, issue 3). Defined for square maps: None for
        others and for 1 x 1. It depends on the scale of the values, and sees one direction only.
        """
        size = self.height
        if size != self.width or size < 2:
            return None
        shifted = np.fft.fftshift(_mirrored(self._log, self.width) / self.maps)
        curve = np.diagonal(shifted)[size // 2 :]
        return curve - curve[0], 2 * np.arange(len(curve)) / size

    @property
    def radial(self) -> tuple[Floats, Floats]:
        """Power averaged over rings of equal frequency, and their radius; DC first.

        All directions count alike, as in the azimuthal average of R. Durall et al., CVPR 2020,
        arXiv 2003.01826.
        """
        return self.grid.averaged(self.power[:, : self.width // 2 + 1])


def map_power(maps: Tensor) -> Tensor:
    """|rfft2|^2 in float64 of maps `[..., H, W]`, `[..., H, W // 2 + 1]`.

    The first value of each map is taken off before and only DC knows of it, so that a constant map
    has exactly no power elsewhere.
    """
    values = maps.double()
    power = torch.view_as_real(torch.fft.rfft2(values - values[..., :1, :1])).square_().sum(-1)
    power[..., 0, 0] = values.sum((-2, -1)).square_()
    return power


def _mirrored(half: Floats, width: int) -> Floats:
    """`[H, W]` of real maps from what `rfft2` has of it: F(-k) is the conjugate of F(k)."""
    rows = -np.arange(len(half)) % len(half)
    columns = np.arange((width - 1) // 2, 0, -1)
    return np.concatenate([half, half[rows][:, columns]], axis=1)
