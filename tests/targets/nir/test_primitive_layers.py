"""Layers, pools and delays of NIR, built by hand, against their equations."""

from __future__ import annotations

import nir
import numpy as np
import pytest
import torch
from nir_nodes import DT, STEPS, run, single, values

from spikeport.convert.ops import (
    AvgPool,
    Conv,
    Linear,
    MultiplyConstant,
    Scale,
    ZeroPad,
)
from spikeport.targets.nir import read


def test_layers_with_weights() -> None:
    weight, bias, x = values(0, 3, 4), values(1, 3), values(2, STEPS, 4)
    graph = read(single(nir.Affine(weight, bias), (4,), (3,)))
    assert np.allclose(run(graph, x), x @ weight.T + bias) and isinstance(graph["n"].op, Linear)
    assert np.allclose(run(read(single(nir.Linear(weight), (4,), (3,))), x), x @ weight.T)
    scale = values(3, 4)
    graph = read(single(nir.Scale(scale), (4,), (4,)))
    assert np.array_equal(run(graph, x), x * scale)
    assert isinstance(graph["n"].op, MultiplyConstant)
    assert isinstance(read(single(nir.Scale(np.full(4, 0.5)), (4,), (4,)))["n"].op, Scale)


def _correlate(x: np.ndarray, weight: np.ndarray, stride: int, pad: int, gap: int) -> np.ndarray:
    """One sample `[C, *space]`, in plain Python."""
    axes = x.ndim - 1
    x = np.pad(x, [(0, 0), *([(pad, pad)] * axes)])
    kernel = weight.shape[2:]
    sizes = [
        (size - gap * (k - 1) - 1) // stride + 1
        for size, k in zip(x.shape[1:], kernel, strict=True)
    ]
    out = np.zeros((len(weight), *sizes))
    for place in np.ndindex(*sizes):
        for tap in np.ndindex(*kernel):
            at = tuple(p * stride + t * gap for p, t in zip(place, tap, strict=True))
            out[(slice(None), *place)] += (
                weight[(slice(None), slice(None), *tap)] @ x[(slice(None), *at)]
            )
    return out


@pytest.mark.parametrize(("stride", "pad", "gap"), [(1, 1, 1), (2, 0, 1), (2, 2, 2)])
def test_convolutions(stride: int, pad: int, gap: int) -> None:
    x1, w1 = values(0, STEPS, 2, 9), values(1, 3, 2, 3)
    x2, w2 = values(2, STEPS, 2, 9, 9), values(3, 3, 2, 3, 3)
    bias = values(4, 3)
    for x, w, kind, pair in ((x1, w1, nir.Conv1d, False), (x2, w2, nir.Conv2d, True)):
        sizes = [(each, each) if pair else each for each in (stride, pad, gap)]
        want = np.stack([_correlate(each, w, stride, pad, gap) for each in x])
        want += bias.reshape(-1, *[1] * (x.ndim - 2))
        shape = (9, 9) if pair else 9
        node = kind(shape, w, *sizes, 1, bias)
        graph = read(single(node, x.shape[1:], want.shape[1:]))
        assert np.allclose(run(graph, x), want)


@pytest.mark.filterwarnings("ignore:Using padding")
def test_padding_by_name() -> None:
    x = values(0, STEPS, 2, 8, 8)
    for kernel in (3, 4):
        weight = values(1, 3, 2, kernel, kernel)
        node = nir.Conv2d((8, 8), weight, (1, 1), "same", (1, 1), 1, np.zeros(3))
        graph = read(single(node, (2, 8, 8), (3, 8, 8), type_check=False))
        want = torch.nn.functional.conv2d(
            torch.from_numpy(x), torch.from_numpy(weight), padding="same"
        )
        assert np.allclose(run(graph, x), want.numpy())
        assert any(isinstance(each.op, ZeroPad) for each in graph) == (kernel == 4)
    node = nir.Conv2d((8, 8), values(1, 3, 2, 3, 3), (1, 1), "valid", (1, 1), 1, np.zeros(3))
    assert read(single(node, (2, 8, 8), (3, 6, 6)))["n"].shape == (3, 6, 6)


def test_a_grouped_convolution_of_a_file_is_read() -> None:
    """`nir` itself cannot; others may write them."""
    node = nir.Conv2d((4, 4), values(0, 4, 2, 3, 3), (1, 1), (1, 1), (1, 1), 2, np.zeros(4))
    network = nir.NIRGraph(
        {
            "input": nir.Input(np.array([4, 4, 4])),
            "n": node,
            "output": nir.Output(np.array([4, 4, 4])),
        },
        [("input", "n"), ("n", "output")],
        type_check=False,
    )
    op = read(network)["n"].op
    assert isinstance(op, Conv) and op.groups == 2


def test_pools() -> None:
    x = values(0, STEPS, 2, 6, 6)
    window = {
        "kernel_size": np.array([2, 3]),
        "stride": np.array([2, 3]),
        "padding": np.array([0, 0]),
    }
    blocks = x.reshape(STEPS, 2, 3, 2, 2, 3)
    total = blocks.sum((3, 5))
    assert np.allclose(run(read(single(nir.SumPool2d(**window), (2, 6, 6), (2, 3, 2))), x), total)
    graph = read(single(nir.AvgPool2d(**window), (2, 6, 6), (2, 3, 2)))
    assert np.allclose(run(graph, x), total / 6)
    padded = {
        "kernel_size": np.array([3, 3]),
        "stride": np.array([1, 1]),
        "padding": np.array([1, 1]),
    }
    op = read(single(nir.AvgPool2d(**padded), (2, 6, 6), (2, 6, 6)))["n"].op
    assert isinstance(op, AvgPool) and op.count_padding


@pytest.mark.parametrize(
    ("axes", "after"), [((0, -1), (24,)), ((1, -1), (2, 12)), ((0, 1), (6, 4)), ((-3, -2), (6, 4))]
)
def test_flatten(axes: tuple[int, int], after: tuple[int, ...]) -> None:
    node = nir.Flatten(np.array([2, 3, 4]), *axes)
    x = values(0, STEPS, 2, 3, 4)
    assert np.array_equal(run(read(single(node, (2, 3, 4), after)), x), x.reshape(STEPS, *after))


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_delays(steps: int) -> None:
    x = values(0, STEPS, 4)
    graph = read(single(nir.Delay(np.full(4, steps * DT)), (4,), (4,)))
    want = np.concatenate([np.zeros((steps, 4)), x[: STEPS - steps]])
    assert np.array_equal(run(graph, x), want)
