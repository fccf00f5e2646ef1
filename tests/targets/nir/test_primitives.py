"""Each NIR primitive, built by hand, against its equations in plain Python."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import nir
import nir_graphs
import numpy as np
import pytest
import torch
from nir_graphs import euler

from spikeport.convert import Graph
from spikeport.convert.ops import (
    IF,
    LIF,
    AvgPool,
    ChannelNeuron,
    Conv,
    EulerNeuron,
    Integrator,
    Linear,
    MultiplyConstant,
    Scale,
    ZeroPad,
)
from spikeport.targets.nir import read

DT = 1e-4
STEPS, NEURONS = 12, 5


def single(
    node: nir.NIRNode, before: tuple[int, ...], after: tuple[int, ...], **options: bool
) -> nir.NIRGraph:
    """Input, one node, output."""
    return nir.NIRGraph(
        {"input": nir.Input(np.array(before)), "n": node, "output": nir.Output(np.array(after))},
        [("input", "n"), ("n", "output")],
        **options,
    )


def values(seed: int, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape)


def run(graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """Inputs `[T, *shape]` of one sample."""
    frames = torch.from_numpy(np.asarray(inputs, dtype=np.float64)).unsqueeze(1)
    return nir_graphs.runs_of(graph, frames)["output"][:, 0].numpy()


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


def test_edges_that_meet_add_up() -> None:
    nodes = {
        "input": nir.Input(np.array([4])),
        "a": nir.Scale(np.full(4, 2.0)),
        "b": nir.Scale(np.full(4, 3.0)),
        "n": nir.Scale(np.full(4, 1.5)),
        "output": nir.Output(np.array([4])),
    }
    edges = [
        ("input", "a"),
        ("input", "b"),
        ("a", "n"),
        ("b", "n"),
        ("input", "n"),
        ("n", "output"),
    ]
    x = values(0, STEPS, 4)
    assert np.allclose(run(read(nir.NIRGraph(nodes, edges)), x), 9 * x)


def nested() -> nir.NIRGraph:
    inner = nir.NIRGraph(
        {
            "input": nir.Input(np.array([4])),
            "w": nir.Linear(values(1, 3, 4)),
            "output": nir.Output(np.array([3])),
        },
        [("input", "w"), ("w", "output")],
    )
    return nir.NIRGraph(
        {
            "input": nir.Input(np.array([4])),
            "inner": inner,
            "v": nir.Linear(values(2, 2, 3)),
            "output": nir.Output(np.array([2])),
        },
        [("input", "inner"), ("inner", "v"), ("v", "output")],
        type_check=False,
    )


def test_nested_graphs_are_unfolded(tmp_path: Any) -> None:
    x = values(0, STEPS, 4)
    want = x @ values(1, 3, 4).T @ values(2, 2, 3).T
    graph = read(nested())
    assert [node.name for node in graph] == ["input", "inner.w", "v"]
    assert np.allclose(run(graph, x), want)
    nir.write(tmp_path / "nested.nir", nested())
    assert np.allclose(run(read(tmp_path / "nested.nir"), x), want)


def loop(back: dict[str, nir.NIRNode], way: list[str]) -> nir.NIRGraph:
    """A neuron whose spikes come round over the nodes `way`."""
    neuron = nir.LIF(np.full(3, 2e-4), np.ones(3), np.zeros(3), np.full(3, 0.3))
    nodes = {"input": nir.Input(np.array([3])), "n": neuron, **back}
    nodes["output"] = nir.Output(np.array([3]))
    round_trip = ["n", *way, "n"]
    edges = [("input", "n"), *pairwise(round_trip), ("n", "output")]
    return nir.NIRGraph(nodes, edges)


def _loop_by_hand(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, first: np.ndarray
) -> np.ndarray:
    v, back, out = np.zeros(3), first, []
    for frame in x:
        h = v + (frame + back - v) / 2
        z = (h > 0.3).astype(float)
        v = np.where(z > 0, 0.0, h)
        back = weight @ z + bias
        out.append(z)
    return np.stack(out)


def test_a_loop_comes_round_a_step_later() -> None:
    """Nothing comes round at the first step, not even the bias, as NIRTorch has it."""
    weight, bias = values(1, 3, 3), values(2, 3)
    x = values(0, STEPS, 3, low=0.0, high=1.5)
    want = _loop_by_hand(x, weight, bias, np.zeros(3))
    assert 0.1 < want.mean() < 0.9
    assert np.array_equal(run(read(loop({"w": nir.Affine(weight, bias)}, ["w"])), x), want)


def test_a_delay_in_a_loop_is_where_the_step_is() -> None:
    """Behind the spikes, so that the bias comes round at the first step too."""
    weight, bias = values(1, 3, 3), values(2, 3)
    x = values(0, STEPS, 3, low=0.0, high=1.5)
    back = {"w": nir.Affine(weight, bias), "d": nir.Delay(np.full(3, DT))}
    graph = read(loop(back, ["d", "w"]))
    assert np.array_equal(run(graph, x), _loop_by_hand(x, weight, bias, bias))
    assert graph["d"].domain == "spike"
    graph = read(loop(back, ["w", "d"]))
    want = _loop_by_hand(x, weight, bias, np.zeros(3))
    assert np.array_equal(run(graph, x), want)


def test_loops_in_loops() -> None:
    """Two neurons, each with its own way back, and one around both."""
    w = {name: values(seed, 3, 3) for seed, name in enumerate(("aa", "ab", "bb", "ba"))}
    lif = {"tau": np.full(3, 2e-4), "r": np.ones(3), "v_leak": np.zeros(3)}
    nodes = {
        "input": nir.Input(np.array([3])),
        "a": nir.LIF(**lif, v_threshold=np.full(3, 0.3)),
        "b": nir.LIF(**lif, v_threshold=np.full(3, 0.1)),
        **{name: nir.Linear(weight) for name, weight in w.items()},
        "output": nir.Output(np.array([3])),
    }
    edges = [("input", "a"), ("a", "aa"), ("aa", "a"), ("a", "ab"), ("ab", "b"), ("b", "bb"),
             ("bb", "b"), ("b", "ba"), ("ba", "a"), ("b", "output")]  # fmt: skip
    x = values(0, STEPS, 3, low=0.0, high=1.5)
    va = vb = za = zb = np.zeros(3)
    want = []
    for frame in x:
        ha = va + (frame + w["aa"] @ za + w["ba"] @ zb - va) / 2
        za = (ha > 0.3).astype(float)
        va = np.where(za > 0, 0.0, ha)
        hb = vb + (w["ab"] @ za + w["bb"] @ zb - vb) / 2
        zb = (hb > 0.1).astype(float)
        vb = np.where(zb > 0, 0.0, hb)
        want.append(zb)
    assert 0.05 < np.mean(want) < 0.95
    assert np.array_equal(run(read(nir.NIRGraph(nodes, edges)), x), np.stack(want))
