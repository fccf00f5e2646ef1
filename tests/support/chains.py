"""Sequential networks, and some that are nearly so."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert import Graph
from spikeport.convert.domain import Domain
from spikeport.convert.ops import LIF, Conv, Input, Linear, MeanTime, Op, Reshape
from spikeport.targets.lava.ops import LavaLIF


def _neuron() -> LIF:
    return LIF(tau=2.0, decay_input=True, v_threshold=1.0, v_reset=0.0)


def _random(*shape: int, seed: int, spread: float) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * spread


def _add(graph: Graph, name: str, op: Op, *sources: str) -> None:
    graph.add(name, op, sources, path=name)


def _conv(
    out: int, channels: int, kernel: int, seed: int, stride: int = 1, groups: int = 1
) -> Conv:
    weight = _random(out, channels // groups, kernel, kernel, seed=seed, spread=0.5)
    bias = _random(out, seed=seed + 1, spread=0.3) + 0.7
    same = (kernel // 2, kernel // 2)
    return Conv(weight, bias, (stride, stride), same, (1, 1), groups)


def conv_chain() -> tuple[Graph, Tensor]:
    """conv with stride, depth-wise conv, 1 x 1 conv, flatten, linear; counts, two samples."""
    random = torch.Generator().manual_seed(3)
    frames = torch.poisson(torch.full((5, 2, 2, 8, 7), 0.6), generator=random)
    graph = Graph()
    graph.add("input", Input((2, 8, 7), Domain.GRADED, per_step=True))
    source = "input"
    for name, op in (
        ("first", _conv(4, 2, 3, 10, stride=2)),
        ("depth", _conv(4, 4, 3, 20, groups=4)),
        ("point", _conv(3, 4, 1, 30)),
    ):
        _add(graph, name, op, source)
        _add(graph, f"{name}_lif", _neuron(), name)
        source = f"{name}_lif"
    size = torch.Size(graph[source].shape).numel()
    _add(graph, "flat", Reshape((size,)), source)
    weight = _random(5, size, seed=40, spread=0.4)
    _add(graph, "fc", Linear(weight, _random(5, seed=41, spread=0.2) + 0.9), "flat")
    _add(graph, "fc_lif", _neuron(), "fc")
    _add(graph, "mean_time", MeanTime(), "fc_lif")
    graph.outputs = ("mean_time",)
    return graph, frames


def dense_chain() -> tuple[Graph, Tensor]:
    """Two linear layers on a flat input of spikes."""
    frames = torch.bernoulli(
        torch.full((6, 2, 12), 0.4), generator=torch.Generator().manual_seed(5)
    )
    graph = Graph()
    graph.add("input", Input((12,), Domain.SPIKE, per_step=True))
    weight = _random(8, 12, seed=50, spread=0.6)
    _add(graph, "fc1", Linear(weight, _random(8, seed=51, spread=0.2) + 0.8), "input")
    _add(graph, "fc1_lif", _neuron(), "fc1")
    _add(graph, "fc2", Linear(_random(4, 8, seed=52, spread=0.7), None), "fc1_lif")
    _add(graph, "fc2_lif", _neuron(), "fc2")
    graph.outputs = ("fc2_lif",)
    return graph, frames


def odd_chain(variant: str) -> Graph:
    """An integer graph with one thing that a sequence of layers with neurons does not have."""
    graph, side = Graph(), 130 if variant == "large" else 4
    graph.add("input", Input((1, side, 2), Domain.GRADED, per_step=True))
    neuron = LavaLIF(4095, 2048, 5, None, 0)
    kernel = torch.full((1, 1, 1, 1), 3, dtype=torch.int32)
    conv = Conv(kernel, None, (1, 1), (0, 0), (1, 1))
    last = "first_lif"
    if variant == "flat_first":
        _add(graph, "flat", Reshape((8,)), "input")
        _add(graph, "first", Linear(torch.full((2, 8), 3, dtype=torch.int32), None), "flat")
        _add(graph, "first_lif", neuron, "first")
    elif variant == "unfed":
        _add(graph, "first_lif", neuron, "input")
    elif variant == "bare":
        _add(graph, "first", conv, "input")
        _add(graph, "second", conv, "first")
        _add(graph, "first_lif", neuron, "second")
    else:
        _add(graph, "first", conv, "input")
        _add(graph, "first_lif", neuron, "first")
    if variant == "branch":
        for name in ("left", "right"):
            _add(graph, name, conv, "first_lif")
            _add(graph, f"{name}_lif", neuron, name)
        _add(graph, "both", conv, "left_lif")
        _add(graph, "both_lif", neuron, "both")
        last = "both_lif"
    if variant == "reshape":
        _add(graph, "flat", Reshape((1, 2, 4)), "first_lif")
        _add(graph, "second", conv, "flat")
        _add(graph, "second_lif", neuron, "second")
        last = "second_lif"
    graph.outputs = (last,)
    graph.metadata["lava"] = {
        "input_max": 3,
        "on_lava": sorted(node.name for node in graph),
        "exponents": {},
        "entry": {"unit": 1.0, "low": 0, "high": 3, "quantised": variant == "real"},
    }
    return graph
