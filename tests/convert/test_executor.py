"""Taps that look at some nodes only."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.executor import Watch, wants
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Add, Conv, Input, MeanTime
from spikeport.targets.onnx import OnnxExecutor
from spikeport.targets.reference import ReferenceExecutor


def net() -> Graph:
    """Two convolutions into one sum: the reference computes the second as part of the first."""
    graph = Graph(outputs=("mean",))
    make = torch.Generator().manual_seed(0)
    graph.add("x", Input((2, 4, 4), Domain.GRADED, True))
    for name in ("a", "b"):
        weight = torch.randn(3, 2, 1, 1, generator=make)
        graph.add(name, Conv(weight, None, (1, 1), (0, 0), (1, 1)), ["x"])
    graph.add("sum", Add(), ["a", "b"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["sum"])
    graph.add("mean", MeanTime(), ["lif"])
    return graph


def test_executors_show_what_is_looked_at() -> None:
    graph = net()
    frames = torch.poisson(
        torch.full((3, 2, 2, 4, 4), 0.7), generator=torch.Generator().manual_seed(1)
    )
    for executor in (Interpreter(graph), ReferenceExecutor(graph), OnnxExecutor(graph)):
        everything: dict[str, Tensor] = {}
        plain = executor.run(frames, lambda node, value: everything.update({node.name: value + 0}))  # noqa: B023
        assert set(everything) == {node.name for node in graph}
        for names in (("lif",), ("x", "b"), ("sum", "mean"), ()):
            found: dict[str, Tensor] = {}

            def tap(node: Node, value: Tensor) -> None:
                found[node.name] = value.clone()  # noqa: B023

            output = executor.run(frames, Watch(names, tap))
            assert set(found) == set(names)
            torch.testing.assert_close(output, plain)
            for name, value in found.items():
                torch.testing.assert_close(value, everything[name])


def test_a_plain_tap_looks_at_every_node() -> None:
    graph = net()
    assert wants(lambda node, value: None, graph["a"])
    assert not wants(None, graph["a"])
    assert not wants(Watch(["b"], lambda node, value: None), graph["a"])
