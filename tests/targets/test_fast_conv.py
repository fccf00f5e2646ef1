"""The fast convolution model against Lava's own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spikeport.targets.lava.shim import import_lava

import_lava()

from lava.proc.conv import utils  # noqa: E402
from lava.proc.conv.models import PyConvModelFixed  # noqa: E402

from spikeport.targets.lava.processes.fast_conv import FastConvModel, wrapped  # noqa: E402


class Port:
    def __init__(self):
        self.incoming, self.sent = None, None

    def recv(self):
        return self.incoming

    def send(self, data):
        self.sent = np.array(data)


def run(model_class, weight, value, *, stride, padding, dilation, groups, message_bits):
    model = model_class({})
    model.weight = weight.astype(np.int32)
    model.kernel_size = np.array(weight.shape[1:3])
    model.stride, model.padding = np.array(stride), np.array(padding)
    model.dilation, model.groups = np.array(dilation), np.array([groups])
    model.num_message_bits = np.array([message_bits])
    shape = utils.output_shape(
        value.shape, len(weight), weight.shape[1:3], stride, padding, dilation
    )
    model.a_buf = np.zeros(shape, np.int32)
    model.s_in, model.a_out = Port(), Port()
    model.s_in.incoming = value
    model.run_spk()
    first = model.a_out.sent
    model.run_spk()
    return first, model.a_out.sent


CASES = list(
    itertools.product(
        [(1, 1), (3, 3), (2, 3)], [(1, 1), (2, 1)], [(0, 0), (1, 2)], [(1, 1), (2, 2)], [1, 2, 4]
    )
)


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation", "groups"), CASES)
@pytest.mark.parametrize("message_bits", [0, 24])
def test_equal_to_lavas_model(kernel, stride, padding, dilation, groups, message_bits):
    random = np.random.default_rng(1)
    value = random.integers(-2, 4, (7, 6, 4)).astype(np.int32)
    weight = random.integers(-1001, 1001, (8, *kernel, 4 // groups))
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "message_bits": message_bits,
    }
    expected = run(PyConvModelFixed, weight, value, **options)
    got = run(FastConvModel, weight, value, **options)
    assert not expected[0].any()
    assert not got[0].any()
    assert got[1].dtype == np.int32
    assert np.array_equal(expected[1], got[1])
    assert got[1].any()


def test_wraps_as_lavas_model():
    value = np.ones((3, 3, 4), np.int32)
    weight = np.full((2, 3, 3, 4), 2**20)
    options = {
        "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1, "message_bits": 0,
    }  # fmt: skip
    expected, got = (run(m, weight, value, **options)[1] for m in (PyConvModelFixed, FastConvModel))
    assert np.array_equal(expected, got)
    assert got.min() < 0  # 36 * 2^20 does not fit into 24 bits


@pytest.mark.parametrize("groups", [1, 128])
def test_takes_128_channels(groups):
    random = np.random.default_rng(2)
    value = random.integers(0, 2, (4, 4, 128)).astype(np.int32)
    weight = random.integers(-9, 9, (128, 3, 3, 128 // groups))
    options = {
        "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": groups,
        "message_bits": 0,
    }  # fmt: skip
    _, got = run(FastConvModel, weight, value, **options)
    expected = utils.conv_scipy(value, weight, (3, 3), (1, 1), (1, 1), (1, 1), groups)
    assert np.array_equal(got, expected)


def test_wrapped_is_lavas_clamp():
    value = np.array([0, 2**23 - 1, 2**23, -(2**23), -(2**23) - 1, 2**25 + 3])
    assert np.array_equal(wrapped(value, 24), utils.signed_clamp(value, 24))
