"""Steps with carried state are the whole run."""

from __future__ import annotations

import pytest
import torch
from digits_data import digits
from hypothesis import HealthCheck, assume, given, settings
from random_nets import RandomNet, random_nets
from stepped_nets import everything, frames, plain, shown, stepped

from spikeport.convert import Graph, Interpreter, StepInterpreter, to_graph_layout
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Input, Linear, MeanTime, RepeatTime, Subtract, SumTime
from spikeport.convert.streaming import needs_later_steps, step_limit
from spikeport.convert.tracing import trace_unproven
from spikeport.core.errors import UnsupportedError, UsageError


@pytest.mark.parametrize(
    "graph",
    [everything(), everything(steps=40), everything(over=SumTime), plain()],
    ids=["mean", "embedding", "sum", "per-step"],
)
def test_every_value_is_that_of_the_whole_run_to_the_last_bit(graph: Graph) -> None:
    """Sums of these weights are exact, so that no order of a library can differ."""
    x = frames(40).double()
    values, output = shown(Interpreter(graph, torch.float64), x)
    by_step, last, outputs = stepped(StepInterpreter(graph, torch.float64), x)
    assert set(by_step) | set(last) == set(values)
    for name, value in values.items():
        assert torch.equal(by_step[name] if graph[name].per_step else last[name], value), name
    fires = values["fires"]
    assert 0.05 < float(fires.mean()) < 0.95
    final = outputs if graph[graph.outputs[0]].per_step else outputs[-1:]
    assert torch.equal(torch.stack(final) if len(final) > 1 else final[0], output)


def test_the_read_out_after_each_step_is_that_of_the_steps_so_far() -> None:
    graph, x = everything(), frames(12).double()
    _, _, outputs = stepped(StepInterpreter(graph, torch.float64), x)
    for steps, output in enumerate(outputs, 1):
        assert torch.equal(output, Interpreter(graph, torch.float64).run(x[:steps]))


def test_digits_scores_are_equal_to_the_last_bit() -> None:
    graph, _, x, _ = digits(2, 3)
    x = x.double()
    values, output = shown(Interpreter(graph, torch.float64), x)
    by_step, _, outputs = stepped(StepInterpreter(graph, torch.float64), x)
    assert torch.equal(outputs[-1], output)
    for name, value in by_step.items():
        if graph[name].domain is Domain.SPIKE:
            assert torch.equal(value, values[name]), name


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(net=random_nets())
def test_random_networks(net: RandomNet) -> None:
    assume(net.layout != "image")
    graph = trace_unproven(net, net.sample(2))
    x = to_graph_layout(graph, net.sample(2).double())
    values, output = shown(Interpreter(graph, torch.float64), x)
    by_step, last, outputs = stepped(StepInterpreter(graph, torch.float64), x)
    for name, value in values.items():
        ours = by_step[name] if graph[name].per_step else last[name]
        torch.testing.assert_close(ours, value, rtol=1e-9, atol=1e-9)
    whole = torch.stack(outputs) if graph[graph.outputs[0]].per_step else outputs[-1]
    torch.testing.assert_close(whole, output, rtol=1e-9, atol=1e-9)


def test_reset_is_rest() -> None:
    executor, x = StepInterpreter(everything(steps=5), torch.float64), frames(5).double()
    first = stepped(executor, x)[2]
    executor.reset()
    assert all(map(torch.equal, stepped(executor, x)[2], first))
    # At rest the batch may be another.
    executor.reset()
    assert executor.step(frames(1, batch=7).double()[0]).shape == (7, 5)


def test_a_tap_changes_nothing() -> None:
    x = frames(6).double()
    watched = stepped(StepInterpreter(everything(), torch.float64), x)[2]
    alone = StepInterpreter(everything(), torch.float64)
    assert all(torch.equal(alone.step(frame), seen) for frame, seen in zip(x, watched, strict=True))


def test_more_steps_than_constants_are_refused() -> None:
    graph = everything(steps=3)
    executor, x = StepInterpreter(graph), frames(4)
    assert step_limit(graph) == 3 and step_limit(everything()) is None
    stepped(executor, x[:3])
    with pytest.raises(UsageError, match="3 steps from rest and is made for 3") as caught:
        executor.step(x[3])
    assert "Reset it after 3" in caught.value.fix


def test_a_model_that_computes_with_its_number_of_steps_has_no_more() -> None:
    graph = plain()
    graph.metadata["fixed_steps"] = 2
    assert step_limit(graph) == 2


def test_what_needs_later_steps_is_refused_by_its_name() -> None:
    graph = Graph(outputs=("out",))
    graph.add("x", Input((3,), Domain.REAL, per_step=True))
    graph.add("mean", MeanTime(), ["x"])
    graph.add("centred", Subtract(), ["x", "mean"], path="model.centre")
    graph.add("out", MeanTime(), ["centred"])
    assert [node.name for node in needs_later_steps(graph)] == ["centred"]
    with pytest.raises(UnsupportedError, match="mean over all steps") as caught:
        StepInterpreter(graph)
    assert caught.value.where == "model.centre"


def test_images_are_refused() -> None:
    graph = Graph(outputs=("out",))
    graph.add("x", Input((3,), Domain.REAL, per_step=False))
    graph.add("steps", RepeatTime(4), ["x"])
    graph.add("out", Linear(torch.ones(2, 3), None), ["steps"])
    with pytest.raises(UnsupportedError, match="one image per sample"):
        StepInterpreter(graph)


@pytest.mark.parametrize("shape", [(2, 2, 8, 7), (2, 8, 8), (0, 2, 8, 8)])
def test_a_frame_of_another_size_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"takes a frame \[B, 2, 8, 8\]"):
        StepInterpreter(plain()).step(torch.zeros(shape))
