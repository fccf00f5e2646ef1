"""What the tests of counting share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from small_nets import small_net
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Input, Op
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


@pytest.fixture(name="small_net")
def small_net_fixture() -> Graph:
    return small_net()


@pytest.fixture
def frames() -> Tensor:
    """Event counts `[4, 7, 2, 6, 6]`."""
    make = torch.Generator().manual_seed(1)
    return torch.poisson(torch.full((4, 7, 2, 6, 6), 0.4), generator=make)
