"""A network that runs in no time, with one layer of most kinds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import LIF, Conv, Input, Linear, Mean, MeanTime, Op


def small_net(seed: int = 0) -> Graph:
    """Event frames to 3 classes: conv, LIF, conv, mean, LIF, time mean, linear; 2 x 6 x 6."""
    make = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=make)

    graph = Graph()
    layers: Sequence[tuple[str, Op, str]] = (
        ("conv1", Conv(normal(4, 2, 3, 3), normal(4), (1, 1), (1, 1), (1, 1)), "patch_embed1.conv"),
        ("lif1", LIF(2.0, True, 1.0, 0.0), "patch_embed1.lif"),
        ("conv2", Conv(normal(5, 4, 3, 3), None, (2, 2), (1, 1), (1, 1)), "stage1.0.mlp.conv"),
        ("mean", Mean((1, 2)), ""),
        ("lif2", LIF(2.0, True, 0.2, None), "head_lif"),
        ("time", MeanTime(), ""),
        ("head", Linear(normal(3, 5), normal(3)), "head"),
    )
    graph.add("x", Input((2, 6, 6), Domain.GRADED, True))
    last = "x"
    for name, op, path in layers:
        graph.add(name, op, [last], path=path)
        last = name
    graph.outputs = ("head",)
    return graph
