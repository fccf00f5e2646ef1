"""Which kernel each node gets by what is proven about its numbers."""

from __future__ import annotations

import pytest
import torch
from kernel_cases import conv, counts, lif, needs_vectors, weights

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    Add,
    Delay,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Permute,
    RepeatTime,
    Reshape,
    Sum,
)
from spikeport.targets.lava.kernels import plan
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift


def graph_of(*steps, shape=(4, 6, 6), per_step=True):
    """A chain of ops; a name in place of an op reads that earlier node as well."""
    graph = Graph()
    graph.add("input", Input(shape, Domain.GRADED, per_step=per_step))
    last = "input"
    for name, op, *others in steps:
        last = graph.add(name, op, (last, *others)).name
    graph.outputs = (last,)
    return graph


def agrees(graph, high, low=0, steps=3):
    planned = plan(graph, low, high)
    shape = (2, *graph.input.shape)
    shape = (steps, *shape) if graph.input.per_step else shape
    frames = counts(shape, high - low) + low
    wanted, got = {}, {}
    Interpreter(graph, torch.float64).run(
        frames, lambda node, value: wanted.update({node.name: value.clone()})
    )
    out = planned.run(frames, lambda node, value: got.update({node.name: value.double()}))
    assert all(torch.equal(got[name], value) for name, value in wanted.items())
    assert torch.equal(planned.run(frames), out)
    return {row.node: row.kernel for row in planned.choices}


@pytest.mark.parametrize(
    ("bits", "high", "kernel"),
    [
        (8, 1, "int8 convolution"),
        (8, 300, "float32"),
        (12, 1, "float32"),
        (16, 200, "float32"),
        (16, 1000, "float64"),
    ],
)
@needs_vectors
def test_convolutions_by_what_is_proven(bits, high, kernel):
    graph = graph_of(("conv", conv(weights((8, 4, 3, 3), bits), padding=1)), ("lif", lif()))
    if bits == 16 and kernel == "float32":
        graph = graph_of(("conv", conv(torch.full((8, 1, 1, 1), 2**15 - 1), groups=4)))
    rows = agrees(graph, high)
    assert rows["conv"] == kernel


def test_all_kinds_of_nodes():
    graph = graph_of(
        ("stem", conv(weights((8, 4, 3, 3)), padding=1)),
        ("pool", MaxPool((3, 3), (2, 2), (1, 1))),
        ("lif", lif(bias=torch.arange(8).reshape(8, 1, 1))),
        ("spike_pool", MaxPool((2, 2), (1, 1), (0, 0))),
        ("twice", Add(), "spike_pool"),
        ("masked", Multiply(), "spike_pool"),
        ("tokens", Reshape((2, 4, 4))),
        ("turned", Permute((0, 2, 1))),
        ("product", MatMul(), "tokens"),
        ("shift", LavaShift(6)),
        ("second", lif(vth=100)),
        ("linear", Linear(weights((3, 4)), None)),
        ("mean", LavaMean((1,), True)),
        ("sum", Sum((1, 2))),
        ("third", lif(vth=3)),
    )
    rows = agrees(graph, 3)
    assert rows["spike_pool"] == "any type" and rows["product"] == "float32"


def test_signed_and_static_input():
    graph = graph_of(
        ("stem", conv(weights((8, 4, 3, 3)), padding=1)),
        ("repeat", RepeatTime(3)),
        ("lif", lif()),
        ("next", conv(weights((8, 8, 1, 1)))),
        ("add", Add(), "repeat"),
        ("mixed", Add(), "stem"),
        ("last", lif()),
        per_step=False,
    )
    assert agrees(graph, 100, low=-100)["stem"] == "float32"


def test_a_sum_of_shifted_counts_keeps_the_shift():
    """The neuron shifts by itself; whoever else reads the shifted counts gets them as well."""
    graph = graph_of(
        ("lif", lif(vth=1)),
        ("shift", LavaShift(3)),
        ("next", lif(vth=9)),
        ("after", Add(), "shift"),
        ("last", lif()),
    )
    agrees(graph, 9)


@pytest.mark.parametrize("divide", [True, False])
@pytest.mark.parametrize(("high", "kernel"), [(100, "float32"), (2**22, "float64")])
def test_average_pools(divide, high, kernel):
    pool = LavaAvgPool((3, 3), (2, 2), (1, 1), count_padding=False, divide=divide)
    graph = graph_of(("pool", pool), ("less", LavaShift(-3)), ("lif", lif()))
    assert agrees(graph, high)["pool"] == kernel


def test_mean_beyond_float32():
    graph = graph_of(("big", LavaShift(14)), ("mean", LavaMean((1, 2))), shape=(2, 4, 4))
    assert agrees(graph, 255)["mean"] == "float64"


def test_feedback_has_no_plan():
    graph = Graph()
    graph.add("input", Input((2,), Domain.SPIKE, per_step=True))
    graph.add("before", Delay("lif", (2,), Domain.SPIKE))
    graph.add("sum", Add(), ("input", "before"))
    graph.add("lif", lif(), ("sum",))
    graph.outputs = ("lif",)
    assert plan(graph, 0, 1) is None
