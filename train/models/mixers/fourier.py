"""Fourier transforms as token mixers, without parameters (attention-free Spikformer)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.neuron import lif


class FourierMixer(nn.Module):
    """x + Re(FFT(LIF(x))), orthonormal; what is added are real numbers, not spikes.

    The transform takes the place of attention in arXiv 2308.02557; the membrane shortcut is that of
    the other mixers here. `[T, B, C, H, W]` both ways.

    Args:
        axes: axes of `[T, B, C, N]` to transform.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes
        self.x_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.fftn(self.x_lif(x).flatten(3), dim=self.axes, norm="ortho")
        mixed: Tensor = x + spectrum.real.reshape(x.shape)
        return mixed


@mixer("fft1d")
class FourierMixer1d(FourierMixer):
    """Over the tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__((3,))


@mixer("fft2d")
class FourierMixer2d(FourierMixer):
    """Over channels and tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__((2, 3))
