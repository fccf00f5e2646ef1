"""Each neuron of NIR, built by hand, against its equations in plain Python."""

from __future__ import annotations

from typing import Any

import nir
import numpy as np
import pytest
from nir_graphs import euler
from nir_nodes import DT, NEURONS, STEPS, run, single, values

from spikeport.convert.ops import (
    IF,
    LIF,
    ChannelNeuron,
    EulerNeuron,
    Integrator,
)
from spikeport.targets.nir import read


def parameters(seed: int, above: bool) -> dict[str, np.ndarray]:
    """All different, and thresholds that are met."""
    return {
        "tau": values(seed, NEURONS, low=2 * DT, high=9 * DT),
        "r": values(seed + 1, NEURONS, low=0.5, high=2.0),
        "v_leak": values(seed + 2, NEURONS, low=-0.1, high=0.2),
        "v_threshold": values(seed + 3, NEURONS, low=0.2, high=0.5),
        "v_reset": values(seed + 4, NEURONS, low=-0.2, high=0.1),
    }


@pytest.mark.parametrize("fires", ["at", "above"])
def test_lif(fires: Any) -> None:
    p = parameters(0, fires == "above")
    graph = read(single(nir.LIF(**p), (NEURONS,), (NEURONS,)), fires=fires)
    x = values(9, STEPS, NEURONS, low=0.0, high=2.0)
    want = euler(
        x, dt=DT, tau=p["tau"], r=p["r"], leak=p["v_leak"], threshold=p["v_threshold"],
        reset=p["v_reset"], above=fires == "above",
    )  # fmt: skip
    assert 0.1 < want.mean() < 0.9
    assert np.array_equal(run(graph, x), want)
    assert isinstance(graph["n"].op, EulerNeuron)


def test_if() -> None:
    r, threshold = values(1, NEURONS, low=0.5, high=2.0) / DT, values(2, NEURONS, low=0.5)
    reset = values(3, NEURONS, low=-0.3, high=0.1)
    threshold = np.abs(threshold) + 0.2
    graph = read(single(nir.IF(r, threshold, reset), (NEURONS,), (NEURONS,)))
    x = values(4, STEPS, NEURONS, low=-0.2, high=0.6)
    want = euler(x, dt=DT, tau=None, r=r, threshold=threshold, reset=reset)
    assert 0.05 < want.mean() < 0.9
    assert np.array_equal(run(graph, x), want)


def test_li_and_i() -> None:
    p = parameters(5, True)
    x = values(6, STEPS, NEURONS)
    leaky = nir.LI(p["tau"], p["r"], p["v_leak"])
    graph = read(single(leaky, (NEURONS,), (NEURONS,)))
    want = euler(x, dt=DT, tau=p["tau"], r=p["r"], leak=p["v_leak"])
    assert np.allclose(run(graph, x), want, rtol=0, atol=1e-12)
    graph = read(single(nir.I(p["r"] / DT), (NEURONS,), (NEURONS,)))
    want = euler(x, dt=DT, tau=None, r=p["r"] / DT)
    assert np.allclose(run(graph, x), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spiking", [True, False])
def test_a_current_with_its_own_time_constant(spiking: bool) -> None:
    p = parameters(7, True)
    synapse, w_in = values(8, NEURONS, low=DT, high=4 * DT), values(9, NEURONS, low=0.5, high=3.0)
    shared = {"tau_syn": synapse, "tau_mem": p["tau"], "w_in": w_in}
    rest = {"r": p["r"], "v_leak": p["v_leak"]}
    node: nir.NIRNode = nir.CubaLI(**shared, **rest)
    firing: dict[str, Any] = {}
    if spiking:
        node = nir.CubaLIF(**shared, **rest, v_threshold=p["v_threshold"], v_reset=p["v_reset"])
        firing = {"threshold": p["v_threshold"], "reset": p["v_reset"]}
    x = values(10, STEPS, NEURONS, low=0.0, high=1.0)
    current = euler(x, dt=DT, tau=synapse, r=w_in)
    want = euler(current, dt=DT, tau=p["tau"], r=p["r"], leak=p["v_leak"], **firing)
    assert not spiking or 0.1 < want.mean() < 0.9
    graph = read(single(node, (NEURONS,), (NEURONS,)))
    assert np.allclose(run(graph, x), want, rtol=0, atol=1e-12)
    assert isinstance(graph["n.current"].op, Integrator)


def test_threshold_and_what_meets_it() -> None:
    node = nir.Threshold(np.array([0.5, 1.0]))
    x = np.array([[0.5, 1.0], [0.6, 0.9]])
    assert run(read(single(node, (2,), (2,))), x).tolist() == [[0, 0], [1, 0]]
    assert run(read(single(node, (2,), (2,)), fires="at"), x).tolist() == [[1, 1], [1, 0]]


def test_the_membrane_that_meets_its_threshold() -> None:
    node = nir.IF(np.full(1, 1 / DT), np.ones(1), np.zeros(1))
    x = np.full((4, 1), 0.5)
    assert run(read(single(node, (1,), (1,))), x).ravel().tolist() == [0, 0, 1, 0]
    assert run(read(single(node, (1,), (1,)), fires="at"), x).ravel().tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("node", "op"),
    [
        (nir.IF(np.full(3, 1e4), np.full(3, 0.5), np.full(3, 0.1)), IF(0.5, 0.1)),
        (nir.LIF(np.full(3, 2e-4), np.ones(3), np.zeros(3), np.ones(3)), LIF(2.0, True, 1.0, 0.0)),
        (
            nir.LIF(np.full(3, 3e-4), np.full(3, 3.0), np.zeros(3), np.ones(3)),
            LIF(3.0, False, 1.0, 0.0),
        ),
        # Float32, as snnTorch exports: 1 / (1 - 0.9) is no whole number there.
        (
            nir.LIF(
                *(np.full(3, v, np.float32) for v in (1e-4 / (1 - 0.9), 1 / (1 - 0.9), 0.0, 1.0))
            ),
            LIF(float(np.float32(1e-4 / (1 - 0.9))) / 1e-4, False, 1.0, 0.0),
        ),
    ],
)  # fmt: skip
def test_what_targets_know_is_read_as_what_they_know(node: nir.NIRNode, op: IF | LIF) -> None:
    got = read(single(node, (3,), (3,)), fires="at")["n"].op
    assert type(got) is type(op)
    assert vars(got) == pytest.approx(vars(op), rel=1e-6)
    assert isinstance(read(single(node, (3,), (3,)))["n"].op, EulerNeuron)


def test_parameters_per_channel() -> None:
    def spread(numbers: list[float]) -> np.ndarray:
        return np.broadcast_to(np.array(numbers).reshape(2, 1, 1), (2, 3, 3)).copy()

    node = nir.LIF(spread([2e-4, 3e-4]), spread([1, 1]), spread([0, 0]), spread([0.4, 0.6]))
    op = read(single(node, (2, 3, 3), (2, 3, 3)), fires="at")["n"].op
    assert isinstance(op, ChannelNeuron)
    assert op.tau is not None and op.tau.shape == (2, 1, 1) and op.tau.ravel().tolist() == [2, 3]
    x = values(0, STEPS, 2, 3, 3, low=0, high=2)
    flat = {name: getattr(node, name).reshape(-1) for name in ("tau", "r", "v_threshold")}
    want = euler(x.reshape(STEPS, -1), dt=DT, tau=flat["tau"], r=flat["r"],
                 threshold=flat["v_threshold"], above=False)  # fmt: skip
    got = run(read(single(node, (2, 3, 3), (2, 3, 3)), fires="at"), x)
    assert np.array_equal(got.reshape(STEPS, -1), want)
