"""Graphs that read a frame at each step and use all that crosses steps."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert import Executor, Graph, StepExecutor
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    AddPerStep,
    Conv,
    Delay,
    Input,
    Linear,
    MaxPool,
    Mean,
    MeanTime,
    Neuron,
    Reshape,
    SumTime,
)

SIZE = (2, 8, 8)


def frames(steps: int, batch: int = 2, seed: int = 0, size: tuple[int, ...] = SIZE) -> Tensor:
    """Event counts `[T, B, C, H, W]`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((steps, batch, *size), 0.7), generator=generator)


def sixteenths(*shape: int, seed: int = 0) -> Tensor:
    """Weights of which sums are exact in any order."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-12, 13, shape, generator=generator).double() / 16


def everything(*, steps: int | None = None, over: type[MeanTime | SumTime] = MeanTime) -> Graph:
    """A feedback loop, a delay outside of loops, two kinds of neuron, a read-out over time.

    Args:
        steps: of a temporal embedding; none if not given.
    """
    graph = Graph(outputs=("head",))
    graph.add("x", Input(SIZE, Domain.GRADED, per_step=True))
    conv = Conv(
        sixteenths(4, 2, 3, 3), None, stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1
    )
    last = graph.add("conv", conv, ["x"]).name
    if steps is not None:
        value = sixteenths(steps, 4, 1, 1, seed=1)
        last = graph.add("embedding", AddPerStep(value), [last]).name
    graph.add("fed", Delay("back", (4, 8, 8), Domain.REAL))
    graph.add("sum", Add(), [last, "fed"])
    graph.add("fires", LIF(2.0, True, 1.0, 0.0), ["sum"], path="loop.lif")
    back = Conv(
        sixteenths(4, 4, 1, 1, seed=2), None, stride=(1, 1), padding=(0, 0), dilation=(1, 1),
        groups=1,
    )  # fmt: skip
    graph.add("back", back, ["fires"])
    graph.add("pool", MaxPool((2, 2), (2, 2), (0, 0)), ["fires"])
    graph.add("late", Delay("pool", (4, 4, 4), Domain.SPIKE))
    graph.add("both", Add(), ["pool", "late"])
    graph.add("next", IF(1.0, None), ["both"])
    graph.add("flat", Reshape((64,)), ["next"])
    graph.add("over", over(), ["flat"])
    graph.add("head", Linear(sixteenths(5, 64, seed=3), sixteenths(5, seed=4)), ["over"])
    return graph


def plain(side: int = 8) -> Graph:
    """No loop: layers, a neuron, a mean over space, and the class scores of each step."""
    graph = Graph(outputs=("head",))
    graph.add("x", Input((2, side, side), Domain.GRADED, per_step=True))
    conv = Conv(
        sixteenths(4, 2, 3, 3), None, stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1
    )
    graph.add("conv", conv, ["x"])
    graph.add("fires", LIF(2.0, False, 1.0, 0.0), ["conv"])
    graph.add("space", Mean((1, 2)), ["fires"])
    graph.add("head", Linear(sixteenths(5, 4, seed=3), None), ["space"])
    return graph


def shown(executor: Executor, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The value of every node over whole samples, and the output."""
    seen: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> None:
        seen[node.name] = value.clone()

    return seen, executor.run(x, keep)


def stepped(
    executor: StepExecutor, x: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor], list[Tensor]]:
    """Values per step `[T, B, *shape]`, the last values of those without time, outputs."""
    by_step: dict[str, list[Tensor]] = {}
    last: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> None:
        if node.per_step:
            by_step.setdefault(node.name, []).append(value.clone())
        else:
            last[node.name] = value.clone()

    outputs = [executor.step(frame, keep).clone() for frame in x]
    return {name: torch.cat(values) for name, values in by_step.items()}, last, outputs


def neurons(graph: Graph) -> list[str]:
    return [node.name for node in graph if isinstance(node.op, Neuron)]
