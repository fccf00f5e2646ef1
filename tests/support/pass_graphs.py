"""Operations and a small graph that tests of single passes and of their pipeline share."""

import torch

from spikeport.convert import ops
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph


def norm(channels: int) -> ops.BatchNorm:
    values = torch.rand(4, channels, generator=torch.Generator().manual_seed(3)).unbind(0)
    return ops.BatchNorm(values[0], values[1] + 0.1, values[2], values[3], 1e-5)


def conv(bias: bool, groups: int = 1) -> ops.Conv:
    return ops.Conv(
        torch.rand(4, 4 // groups, 3, 3),
        torch.rand(4) if bias else None,
        (1, 1),
        (1, 1),
        (1, 1),
        groups,
    )


def static_image() -> Graph:
    """An image repeated in front of the stem; one branch has a neuron, one has none."""
    graph = Graph(outputs=("sum",))
    graph.add("x", ops.Input((4, 6, 6), Domain.REAL, False))
    graph.add("steps", ops.RepeatTime(3), ["x"])
    graph.add("conv", conv(True), ["steps"], path="stem.conv")
    graph.add("norm", norm(4), ["conv"], path="stem.norm")
    graph.add("lif", ops.LIF(2.0, True, 1.0, 0.0), ["norm"], path="stem.lif")
    graph.add("shortcut", conv(False), ["norm"])
    graph.add("sum", ops.Add(), ["lif", "shortcut"])
    return graph
