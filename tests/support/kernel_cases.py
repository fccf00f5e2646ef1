"""Numbers, ops and layouts that the kernels of the integer executor are tried on."""

from __future__ import annotations

import pytest
import torch

from spikeport.convert.ops import (
    Conv,
)
from spikeport.targets.lava.kernels import neuron
from spikeport.targets.lava.kernels.base import Edge
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.quantise.bounds import Interval

needs_compiler = pytest.mark.skipif(neuron._function() is None, reason="no C compiler")
needs_vectors = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="no such processor"
)


def edge(shape, low, high, dtype=torch.float32):
    ends = (torch.full(shape, float(end), dtype=torch.float64) for end in (low, high))
    return Edge(dtype, Interval(*ends))


def counts(shape, high, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, high + 1, shape, generator=random)


def lif(du=4095, dv=2048, vth=500, bias=None, bias_exp=6):
    return LavaLIF(du=du, dv=dv, vth=vth, bias_mant=bias, bias_exp=bias_exp)


LAYOUTS = {
    "as torch": lambda x: x,
    "channels last": lambda x: x.movedim(2, -1).contiguous().movedim(-1, 2),
    "columns first": lambda x: x.transpose(-1, -2).contiguous().transpose(-1, -2),
    "samples inside": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    "every second step": lambda x: torch.stack([x, x], 1).flatten(0, 1)[::2],
    "a slice": lambda x: torch.nn.functional.pad(x, (0, 3))[..., :-3],
}


def weights(shape, bits=8, seed=0):
    """8-bit numbers times a power of two per channel; one channel of zeros, one of extremes."""
    random = torch.Generator().manual_seed(seed)
    top = 2 ** (bits - 1) - 1
    w = torch.randint(-top, top + 1, shape, generator=random)
    w[0], w[-1] = 0, -top
    exponents = torch.randint(0, 6, (shape[0],), generator=random)
    return (w << exponents.reshape(-1, *[1] * (len(shape) - 1))).to(torch.int32)


def conv(weight, stride=1, padding=0, dilation=1, groups=1):
    axes = weight.ndim - 2
    return Conv(weight, None, (stride,) * axes, (padding,) * axes, (dilation,) * axes, groups)
