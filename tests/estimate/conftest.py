"""What the tests of counting share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Conv, Input, Linear, Mean, MeanTime, Op
from spikeport.estimate import Tally

Counted = tuple[Tally, Graph]


def count_chain(
    frames: Tensor, domain: Domain, *ops: Op, per_step: bool = True, name: str = "layer"
) -> Tally:
    """Tally of a chain of ops on one batch; the last op is called `name`, the others op0, ..."""
    graph = Graph()
    last = "x"
    graph.add("x", Input(tuple(frames.shape[2 if per_step else 1 :]), domain, per_step))
    for index, op in enumerate(ops):
        label = name if index == len(ops) - 1 else f"op{index}"
        graph.add(label, op, [last])
        last = label
    graph.outputs = (last,)
    tally = Tally(graph, keep=True)
    tally.run(Interpreter(graph, torch.float64), frames)
    return tally


@pytest.fixture(name="count_chain", scope="session")
def count_chain_fixture() -> Callable[..., Tally]:
    return count_chain


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


@pytest.fixture(name="small_net")
def small_net_fixture() -> Graph:
    return small_net()


@pytest.fixture
def frames() -> Tensor:
    """Event counts `[4, 7, 2, 6, 6]`."""
    make = torch.Generator().manual_seed(1)
    return torch.poisson(torch.full((4, 7, 2, 6, 6), 0.4), generator=make)
