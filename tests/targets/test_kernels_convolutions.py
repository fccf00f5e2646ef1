"""Convolutions and pools in bytes against whole numbers, and when they must not be chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from kernel_cases import LAYOUTS, conv, counts, edge, needs_vectors, weights

from spikeport.convert.ops import (
    MaxPool,
)
from spikeport.targets.lava.kernels import floating, int8_conv


@needs_vectors
@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("high", [1, 129])
def test_int8_convolutions(kernel, stride, padding, groups, high):
    op = conv(weights((18, 6 // groups, kernel, kernel)), stride, padding, 1, groups)
    made = int8_conv.int8_conv(op, (edge((6, 9, 8), 0, high, torch.uint8),))
    x = counts((2, 3, 6, 9, 8), high)
    y = made.run(x.to(torch.uint8))
    expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
    assert y.dtype is torch.float32 and torch.equal(y.flatten(0, 1).double(), expected)


@needs_vectors
@pytest.mark.parametrize("channels", [16, 64, 400])
@pytest.mark.parametrize("layout", ["as torch", "channels last"])
def test_wide_int8_convolutions(channels, layout):
    op = conv(weights((channels, channels, 3, 3)), padding=2, dilation=2)
    made = int8_conv.int8_conv(op, (edge((channels, 6, 6), 0, 1, torch.uint8),))
    for samples in (1, 2, 5, 2, 3, 4, 6):  # more shapes than weights are kept for
        x = LAYOUTS[layout](counts((2, samples, channels, 6, 6), 1))
        expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
        assert torch.equal(made.run(x.to(torch.uint8)).flatten(0, 1).double(), expected)


@needs_vectors
def test_int8_convolutions_over_one_axis():
    op = conv(weights((32, 48, 3)), stride=2, padding=1)
    made = int8_conv.int8_conv(op, (edge((48, 16), 0, 1, torch.uint8),))
    x = counts((2, 3, 48, 16), 1)
    expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
    assert torch.equal(made.run(x.to(torch.uint8)).flatten(0, 1).double(), expected)


def test_mantissas():
    w = torch.tensor([[[3 * 64, -64]], [[0, 0]], [[-128, 127]], [[-(2**30), 2**30]]])
    q, e = int8_conv.mantissas(w)
    assert e.tolist() == [6, 0, 0, 30] and q.flatten().tolist() == [3, -1, 0, 0, -128, 127, -1, 1]


@needs_vectors
@pytest.mark.parametrize(
    ("weight", "low", "high", "dtype"),
    [
        (torch.full((4, 2, 1, 1), 127), 0, 130, torch.uint8),  # pairs would saturate
        (torch.full((4, 2, 1, 1), 129), 0, 1, torch.uint8),  # 9 bits
        (torch.full((4, 2, 1, 1), 1), -1, 1, torch.float32),  # signs
        (torch.full((4, 2**15, 3, 3), 127), 0, 1, torch.uint8),  # sums of 2^24 and more
        (torch.full((4, 2, 1, 1), 2**22), 0, 2, torch.uint8),  # results of 2^24
    ],
)
def test_int8_is_not_chosen_without_proof(weight, low, high, dtype):
    assert (
        int8_conv.int8_conv(conv(weight), (edge((weight.shape[1], 3, 3), low, high, dtype),))
        is None
    )


@needs_vectors
@pytest.mark.parametrize("broken", ["scales", "torch"])
def test_an_int8_kernel_that_computes_otherwise_is_not_used(monkeypatch, broken):
    op, source = conv(weights((4, 2, 3, 3))), (edge((2, 5, 5), 0, 1, torch.uint8),)
    assert int8_conv.int8_conv(op, source) is not None
    made = int8_conv._made

    def wrong(*args):
        kernel = made(*args)
        return replace(kernel, scales=kernel.scales * 2)

    def gone(self, x):
        raise AttributeError("'_OpNamespace' 'onednn' object has no attribute 'qconv_prepack'")

    if broken == "scales":
        monkeypatch.setattr(int8_conv, "_made", wrong)
    else:
        monkeypatch.setattr(int8_conv.Int8Conv, "_convolve", gone)
    assert int8_conv.int8_conv(op, source) is None


OLDER = """
import os, torch
from kernel_cases import conv, counts, edge, weights
from spikeport.targets.lava import IntegerExecutor
from spikeport.targets.lava.kernels import int8_conv
for groups, high in ((1, 1), (1, 130), (1, 129), (64, 129), (2, 7)):
    w, _ = int8_conv.mantissas(weights((64, 64 // groups, 3, 3)))
    op = conv(w, padding=1, groups=groups)
    made = int8_conv.int8_conv(op, (edge((64, 8, 8), 0, high, torch.uint8),))
    assert (made is None) == (high > 129), (groups, high)
    if made is not None:
        x = counts((1, 4, 64, 8, 8), high)
        x[:, 0] = high
        y = made.run(x.to(torch.uint8))[0]
        assert torch.equal(y.double(), op.cast(torch.float64).apply(x[0].double())), (groups, high)
print("equal")
"""


@needs_vectors
@pytest.mark.parametrize("processor", ["SSE41", "AVX2", "AVX512_CORE"])
def test_older_processors_give_the_same_sums(processor):
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, "-c", OLDER],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(here.parents[2]), str(here.parents[1] / "support"))),
            "ONEDNN_MAX_CPU_ISA": processor,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_bytes_are_pooled_in_every_layout() -> None:
    """Torch refuses bytes with the channels last from 256 positions on."""
    spikes = (torch.rand(2, 3, 4, 20, 30, generator=torch.Generator().manual_seed(0)) < 0.2).byte()
    pool = MaxPool((3, 3), (2, 2), (1, 1))
    kernel = floating.pooled(pool, (edge((4, 20, 30), 0, 1),))
    want = pool.apply(spikes.flatten(0, 1).double()).unflatten(0, (2, 3))
    for layout in ("as it is", "channels last"):
        x = spikes if layout == "as it is" else LAYOUTS[layout](spikes)
        got = kernel.run(x)
        assert got.dtype is torch.uint8 and torch.equal(got.double(), want), layout
