"""Equal to SpikingJelly's `SynOpCounter` on what it supports: 0/1 input, convolution and linear."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from spikingjelly.activation_based.op_counter import DispatchCounterMode, SynOpCounter

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Linear, Op
from spikeport.estimate import Tally, Term


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Linear(torch.randn(7, 6), None), (6,)),
        (Conv(torch.randn(4, 3, 3, 3), None, (1, 1), (1, 1), (1, 1)), (3, 8, 7)),
        (Conv(torch.randn(4, 3, 3, 3), None, (2, 2), (1, 1), (1, 1)), (3, 8, 7)),
        (Conv(torch.randn(4, 1, 3, 3), None, (1, 1), (2, 2), (2, 2), 4), (4, 8, 8)),
        (Conv(torch.randn(4, 2, 5, 3), None, (2, 1), (0, 1), (1, 2), 2), (4, 9, 8)),
        (Conv(torch.randn(5, 3, 1), None, (1,), (0,), (1,)), (3, 16)),
        (Conv(torch.randn(5, 3, 4), None, (3,), (2,), (1,)), (3, 16)),
    ],
)
def test_same_count(count_chain: Callable[..., Tally], op: Op, shape: tuple[int, ...]) -> None:
    make = torch.Generator().manual_seed(0)
    x = (torch.rand((2, 3, *shape), generator=make) < 0.3).float()
    counter = SynOpCounter()
    with torch.no_grad(), DispatchCounterMode([counter]):
        op.apply(x.flatten(0, 1))  # type: ignore[attr-defined]
    assert count_chain(x, Domain.SPIKE, op).total("layer", Term.SOP) == counter.get_total()


def test_same_count_of_spike_products() -> None:
    from spikeport.convert.graph import Graph
    from spikeport.convert.interpreter import Interpreter
    from spikeport.convert.ops import Input, MatMul, Permute

    x = (torch.rand((2, 2, 4, 5), generator=torch.Generator().manual_seed(0)) < 0.4).float()
    graph = Graph()
    graph.add("x", Input((4, 5), Domain.SPIKE, True))
    graph.add("turned", Permute((1, 0)), ["x"])
    graph.add("layer", MatMul(), ["turned", "x"])
    graph.outputs = ("layer",)
    counter = SynOpCounter()
    with DispatchCounterMode([counter]):
        torch.bmm(x.flatten(0, 1).mT, x.flatten(0, 1))
    tally = Tally.over(Interpreter(graph), [x])
    assert tally.total("layer", Term.SOP) == counter.get_total()
