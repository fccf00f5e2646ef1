"""The neuron op against Lava's own model, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.targets.lava.limits import CURRENT_LIMIT, STATE_LIMIT
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.shim import import_lava

NEURONS, STEPS = 64, 24


class Port:
    """Stands for both ports of a model."""

    def __init__(self):
        self.incoming, self.sent = None, None

    def recv(self):
        return self.incoming

    def send(self, data):
        self.sent = np.asarray(data)


def lavas_spikes(op: LavaLIF, currents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and membranes of PyLifResetModelBitAcc without its reset."""
    import_lava()
    from lava.proc.lif.models import PyLifResetModelBitAcc

    model = PyLifResetModelBitAcc({"reset_interval": 10**6, "reset_offset": 1})
    model.du, model.dv, model.vth = op.du, op.dv, op.vth
    shape = currents.shape[1:]
    model.u, model.v = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    mantissa = 0 if op.bias_mant is None else op.bias_mant.numpy()
    model.bias_mant = np.broadcast_to(mantissa, shape).astype(np.int16)
    model.bias_exp = np.full(shape, op.bias_exp, np.int16)
    model.a_in, model.s_out = Port(), Port()
    spikes, membranes = [], []
    for current in currents:
        model.time_step += 1
        model.a_in.incoming = current
        model.run_spk()
        spikes.append(model.s_out.sent.astype(np.int64))
        membranes.append(model.v.copy())
    return np.array(spikes), np.array(membranes)


def our_spikes(op: LavaLIF, currents: np.ndarray, dtype: torch.dtype):
    x = torch.from_numpy(currents.astype(np.int64)).to(dtype).unsqueeze(1)
    state, spikes, membranes = op.initial(x[0]), [], []
    for current in x:
        state, s = op.step(state, current)
        spikes.append(s[0].numpy())
        membranes.append(state.v[0].numpy())
    return np.array(spikes).astype(np.int64), np.array(membranes).astype(np.int64)


def assert_equal(op: LavaLIF, currents: np.ndarray) -> np.ndarray:
    expected = lavas_spikes(op, currents)
    for dtype in (torch.float64, torch.int64):
        got = our_spikes(op, currents, dtype)
        assert np.array_equal(got[0], expected[0])
        assert np.array_equal(got[1], expected[1])
    return expected[0]


def currents(low: int, high: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(low, high, (STEPS, NEURONS), dtype=np.int32)


REGIMES = {
    "max-former": (4095, 2048, 511, -300, 600, 0, 6),
    "current memory": (1024, 512, 3000, -2000, 3000, 0, 6),
    "no leak": (4095, 0, 9000, -1000, 2000, 0, 6),
    "no leak of the current": (-1, 2048, 9000, -100, 200, 0, 6),
    "negative bias": (4095, 2048, 511, 0, 1500, -300, 6),
    "fine bias": (4095, 2048, 511, -300, 600, 4095, 0),
    "coarse bias": (4095, 2048, 60000, -300, 600, 4095, 7),
    "int16 bias": (4095, 2048, 60000, -300, 600, 32767, 6),
    "wraps": (4095, 2048, 90000, -400_000, 400_000, 0, 6),
    "wraps with memory": (512, 2048, 90000, -200_000, 200_000, 0, 6),
    "saturates": (4095, 16, 131_071, CURRENT_LIMIT // 2, CURRENT_LIMIT, 0, 6),
    "saturates below": (4095, 16, 131_071, -CURRENT_LIMIT + 1, 0, -30000, 6),
}


@pytest.mark.parametrize("name", REGIMES)
def test_equal_to_lava(name):
    du, dv, vth, low, high, bias, exponent = REGIMES[name]
    mantissa = torch.full((NEURONS,), bias, dtype=torch.int32) if bias else None
    assert_equal(LavaLIF(du, dv, vth, mantissa, exponent), currents(low, high))


@pytest.mark.parametrize("name", ["max-former", "negative bias", "int16 bias", "no leak"])
def test_float32_is_exact_where_it_is_used(name):
    du, dv, vth, low, high, bias, exponent = REGIMES[name]
    mantissa = torch.full((NEURONS,), bias, dtype=torch.int32) if bias else None
    op = LavaLIF(du, dv, vth, mantissa, exponent)
    for x in (currents(low, high), currents(1 - CURRENT_LIMIT, CURRENT_LIMIT)):
        expected, got = lavas_spikes(op, x), our_spikes(op, x, torch.float32)
        assert np.array_equal(got[0], expected[0])
        assert np.array_equal(got[1], expected[1])


def test_edges_of_the_wrap():
    edges = np.array(
        [[CURRENT_LIMIT - 1, CURRENT_LIMIT, CURRENT_LIMIT + 1, -CURRENT_LIMIT, 1 - CURRENT_LIMIT]]
    ).astype(np.int32)
    op = LavaLIF(4095, 2048, 1000, None, 6)
    assert_equal(op, np.repeat(edges, 6, axis=0))


def test_membrane_saturates_and_currents_wrap():
    op = LavaLIF(4095, 0, 131_071, None, 6)
    _, v = our_spikes(op, np.full((8, 1), -100_000), torch.float64)
    assert v.min() == 1 - STATE_LIMIT
    _, v = our_spikes(op, np.full((1, 1), CURRENT_LIMIT + 5), torch.float64)
    assert v[0, 0] == (CURRENT_LIMIT + 5) * 64 - 2 * STATE_LIMIT


@settings(max_examples=60, deadline=None)
@given(
    du=st.integers(0, 4095),
    dv=st.integers(0, 4095),
    vth=st.integers(1, 131_071),
    bias=st.integers(-32768, 32767),
    exponent=st.integers(0, 7),
    reach=st.integers(1, 2**21),
    seed=st.integers(0, 2**16),
)
def test_equal_to_lava_anywhere(du, dv, vth, bias, exponent, reach, seed):
    random = np.random.default_rng(seed)
    x = random.integers(-reach, reach + 1, (8, 16), dtype=np.int32)
    op = LavaLIF(du, dv, vth, torch.full((16,), bias, dtype=torch.int32), exponent)
    assert_equal(op, x)


def test_a_wrong_threshold_would_be_seen():
    x = currents(-300, 600)
    spikes = assert_equal(LavaLIF(4095, 2048, 511, None, 6), x)
    other, _ = our_spikes(LavaLIF(4095, 2048, 500, None, 6), x, torch.int64)
    assert spikes.any()
    assert not np.array_equal(spikes, other)
