"""Nodes of NIR together: sums at edges, graphs in graphs, loops."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import nir
import numpy as np
import pytest
from nir_nodes import DT, STEPS, run, values

from spikeport.convert.ops import Add
from spikeport.targets.nir import read


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


def test_more_edges_may_meet_than_python_calls_may_nest() -> None:
    count = 1100
    branches = [f"b{number}" for number in range(count)]
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array([1]))}
    nodes |= {name: nir.Scale(np.full(1, 1.0)) for name in branches}
    nodes |= {"n": nir.Scale(np.full(1, 2.0)), "output": nir.Output(np.array([1]))}
    edges = [edge for name in branches for edge in (("input", name), (name, "n"))]
    graph = read(nir.NIRGraph(nodes, [*edges, ("n", "output")], type_check=False))
    assert np.allclose(run(graph, np.ones((1, 1))), 2.0 * count)


def test_sums_that_begin_alike_are_shared() -> None:
    nodes: dict[str, nir.NIRNode] = {name: nir.Scale(np.full(4, 2.0)) for name in "abcmn"}
    nodes |= {"input": nir.Input(np.array([4])), "output": nir.Output(np.array([4]))}
    edges = [("input", name) for name in "abc"]
    edges += [(name, "m") for name in "ab"] + [(name, "n") for name in "abc"]
    edges += [("m", "output"), ("n", "output")]
    graph = read(nir.NIRGraph(nodes, edges, type_check=False))
    assert [node.name for node in graph if isinstance(node.op, Add)] == [
        "m.sum",
        "n.sum",
        "output.sum",
    ]
    x = values(0, STEPS, 4)
    assert np.allclose(run(graph, x), (2 * 4 + 2 * 6) * x)


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


@pytest.mark.parametrize("other", ["m", "d.sum"])
def test_what_a_delay_in_a_loop_reads_may_have_other_readers(other: str) -> None:
    nodes: dict[str, nir.NIRNode] = {
        "input": nir.Input(np.array([3])),
        "s": nir.Scale(np.full(3, 0.5)),
        "w": nir.Scale(np.full(3, 0.25)),
        "d": nir.Delay(np.full(3, DT)),
        other: nir.Scale(np.full(3, 2.0)),
        "output": nir.Output(np.array([3])),
    }
    edges = [("input", "s"), ("s", "w"), ("s", "d"), ("w", "d"), ("d", "s"), ("s", other),
             ("w", other), (other, "output")]  # fmt: skip
    x, s, want = values(0, STEPS, 3), np.zeros(3), []
    for frame in x:
        s = 0.5 * (frame + 1.25 * s)
        want.append(2.5 * s)
    assert np.allclose(run(read(nir.NIRGraph(nodes, edges, type_check=False)), x), np.stack(want))


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
