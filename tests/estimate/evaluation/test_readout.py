"""The answers after each step, against networks that are run for so many steps only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Add,
    Delay,
    Input,
    Linear,
    MeanTime,
    Op,
    RepeatTime,
    SumTime,
    Threshold,
)
from spikeport.core.errors import CheckFailed, UnsupportedError
from spikeport.estimate.evaluation import ReadOut

FIRES = LIF(2.0, True, 0.5, 0.0)
FRAMES = torch.poisson(
    torch.full((5, 6, 4), 0.6), generator=torch.Generator().manual_seed(3)
).double()


def layer(out: int, size: int = 4, seed: int = 0) -> Linear:
    make = torch.Generator().manual_seed(seed)
    weight = torch.randn((out, size), generator=make, dtype=torch.float64)
    return Linear(weight, torch.randn(out, generator=make, dtype=torch.float64))


def network(*nodes: tuple[str, Op, Sequence[str]], per_step: bool = True) -> Graph:
    graph = Graph()
    graph.add("x", Input((4,), Domain.GRADED, per_step))
    for name, op, inputs in nodes:
        graph.add(name, op, inputs)
    graph.outputs = (nodes[-1][0],)
    return graph


HALF = Threshold(torch.tensor(0.3, dtype=torch.float64), strict=True)
SPIKES = (("fc", layer(4), ["x"]), ("lif", FIRES, ["fc"]))
NETWORKS = {
    "linear behind the mean": network(
        *SPIKES, ("mean", MeanTime(), ["lif"]), ("head", layer(3, seed=1), ["mean"])
    ),
    "no neuron behind the last layer": network(
        *SPIKES, ("head", layer(3, seed=1), ["lif"]), ("mean", MeanTime(), ["head"])
    ),
    "not linear behind the mean": network(
        *SPIKES,
        ("mean", MeanTime(), ["lif"]),
        ("fires", HALF, ["mean"]),
        ("head", layer(3, seed=1), ["fires"]),
    ),
    "a sum": network(*SPIKES, ("sum", SumTime(), ["lif"]), ("head", layer(3, seed=1), ["sum"])),
    "outputs at each step": network(*SPIKES, ("head", layer(3, seed=1), ["lif"])),
    "two means": network(
        *SPIKES,
        ("one", MeanTime(), ["lif"]),
        ("two", SumTime(), ["x"]),
        ("both", Add(), ["one", "two"]),
        ("head", layer(3, seed=1), ["both"]),
    ),
    "feedback": network(
        ("back", Delay("lif", (4,), Domain.SPIKE), []),
        ("sum", Add(), ["x", "back"]),
        ("fc", layer(4), ["sum"]),
        ("lif", FIRES, ["fc"]),
        ("mean", MeanTime(), ["lif"]),
        ("head", layer(3, seed=1), ["mean"]),
    ),
}


def after_each_step(graph: Graph, frames: Tensor) -> Tensor:
    read_out, values = ReadOut.of(graph), dict[str, Tensor]()

    def tap(node: Node, value: Tensor) -> None:
        if node.name in read_out.reads:
            values[node.name] = value.clone()

    output = Interpreter(graph, torch.float64).run(frames, tap)
    return read_out.scores(values, output)


@pytest.mark.parametrize("graph", NETWORKS.values(), ids=NETWORKS)
def test_a_step_is_what_a_shorter_run_gives(graph: Graph) -> None:
    found = after_each_step(graph, FRAMES)
    assert found.shape == (5, 6, 3)
    assert len({tuple(each.flatten().tolist()) for each in found}) > 1
    for steps in range(1, 6):
        shorter = Interpreter(graph, torch.float64).run(FRAMES[:steps])
        shorter = shorter.mean(0) if shorter.ndim == 3 else shorter
        torch.testing.assert_close(found[steps - 1], shorter, rtol=1e-12, atol=1e-12)


def test_an_image_that_is_repeated_is_read_after_each_step_too() -> None:
    graph = network(
        ("rep", RepeatTime(4), ["x"]),
        ("fc", layer(4), ["rep"]),
        ("lif", FIRES, ["fc"]),
        ("mean", MeanTime(), ["lif"]),
        per_step=False,
    )
    found = after_each_step(graph, FRAMES[0])
    assert found.shape == (4, 6, 4)
    assert torch.equal(found[-1], Interpreter(graph, torch.float64).run(FRAMES[0]))


def fixed(graph: Graph) -> Graph:
    graph.metadata["fixed_steps"] = 5
    return graph


MEAN = ("mean", MeanTime(), ["lif"])
REFUSED = {
    "nothing in this network exists at each time step": network(
        ("head", layer(3), ["x"]), per_step=False
    ),
    "reads a mean over all steps at each single step": network(
        *SPIKES, MEAN, ("gate", Add(), ["lif", "mean"]), ("end", MeanTime(), ["gate"])
    ),
    "which has no steps": network(
        ("rep", RepeatTime(4), ["x"]),
        ("lif", FIRES, ["rep"]),
        MEAN,
        ("skip", Add(), ["mean", "x"]),
        per_step=False,
    ),
    "computes with the number T": fixed(network(*SPIKES, ("sum", SumTime(), ["lif"]))),
}


@pytest.mark.parametrize("why", REFUSED)
def test_networks_without_answers_after_fewer_steps_are_refused(why: str) -> None:
    with pytest.raises(UnsupportedError, match=why):
        ReadOut.of(REFUSED[why])


def test_a_read_out_that_misses_the_output_is_noticed() -> None:
    graph = NETWORKS["linear behind the mean"]
    read_out = ReadOut.of(graph)
    values = {"lif": torch.zeros(5, 6, 4)}
    output = Interpreter(graph, torch.float64).run(FRAMES)
    for wrong in (output, output * float("nan")):
        with pytest.raises(CheckFailed, match="not what the run gave"):
            read_out.scores(values, wrong)
