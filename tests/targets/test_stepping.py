"""Targets frame by frame: spikes of the interpreter's steps, and of their own whole runs."""

from __future__ import annotations

import pytest
import torch
from stepped_nets import everything, frames, neurons, plain, shown, stepped
from zoo_graphs import FORMER, traced

from spikeport.convert import Graph, StepExecutor, StepInterpreter
from spikeport.convert.ops import SumTime
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.targets import TARGETS, Target, stepper, streaming_targets
from spikeport.targets.lava import lower
from spikeport.targets.onnx.stepping import OnnxStepExecutor
from spikeport.targets.reference.stepping import ReferenceStepExecutor

GRAPHS = {
    "mean": everything(),
    "embedding": everything(steps=9),
    "sum": everything(over=SumTime),
    "per-step": plain(),
}


def same_spikes(graph: Graph, ours: StepExecutor, x: torch.Tensor, atol: float) -> None:
    expected, _, outputs = stepped(StepInterpreter(graph, torch.float64), x.double())
    seen, _, got = stepped(ours, x)
    assert neurons(graph)
    for name in neurons(graph):
        assert torch.equal(seen[name].double(), expected[name]), name
    for left, right in zip(got, outputs, strict=True):
        torch.testing.assert_close(left.double(), right, rtol=0, atol=atol)
    # Unwatched, and from rest again.
    ours.reset()
    for frame, output in zip(x, got, strict=True):
        torch.testing.assert_close(ours.step(frame), output, rtol=0, atol=atol)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_reference(name: str, layout: str) -> None:
    executor = ReferenceStepExecutor(GRAPHS[name], "float64", layout=layout)  # type: ignore[arg-type]
    same_spikes(GRAPHS[name], executor, frames(9).double(), 1e-12)


@pytest.mark.parametrize("name", GRAPHS)
def test_onnx(name: str) -> None:
    same_spikes(GRAPHS[name], OnnxStepExecutor(GRAPHS[name], "float64"), frames(9), 1e-12)


@pytest.fixture(scope="module")
def former() -> Graph:
    return traced("max_former_event", **FORMER)


@pytest.mark.parametrize("target", ["reference", "onnx"])
def test_a_network_with_fused_layers_in_float32(former: Graph, target: str) -> None:
    graph = former
    x = frames(3, size=(2, 32, 32))
    expected, _, outputs = stepped(StepInterpreter(graph), x)
    seen, _, got = stepped(stepper(graph, target), x)
    spikes = [name for name in neurons(graph) if name in seen]
    different = sum(int((seen[name] != expected[name]).sum()) for name in spikes)
    assert different <= 1e-3 * sum(expected[name].numel() for name in spikes)
    assert len(spikes) > 10
    if not different:
        torch.testing.assert_close(got[-1], outputs[-1], rtol=0, atol=1e-4)


def test_lava_is_the_integer_executor() -> None:
    x = frames(6)
    artefact = lower(plain(), frames(6, batch=8, seed=1), input_max=9)
    values, output = shown(artefact.executor(), x)
    seen, _, outputs = stepped(stepper(artefact.graph, "lava"), x)
    assert torch.equal(torch.stack(outputs), output)
    assert 0.02 < float(values["fires"].mean()) < 0.98
    for name in neurons(artefact.graph):
        assert torch.equal(seen[name], values[name].double()), name


def test_lava_refuses_counts_without_head_room() -> None:
    artefact = lower(plain(), frames(6), input_max=9)
    with pytest.raises(UsageError, match="head-room"):
        stepper(artefact.graph, "lava").step(frames(1)[0] + 10)


def test_lava_refuses_a_float_graph() -> None:
    with pytest.raises(UsageError, match="lower"):
        stepper(plain(), "lava").step(frames(1)[0])


def test_which_targets_stream() -> None:
    assert streaming_targets() == ["reference", "lava", "onnx"]
    assert Target.__dataclass_fields__["stepper"].default is None
    assert TARGETS["nir"].stepper is None
    with pytest.raises(UsageError, match="whole samples only"):
        stepper(plain(), "nir")
    with pytest.raises(UnknownNameError):
        stepper(plain(), "nri")


@pytest.mark.parametrize("make", [ReferenceStepExecutor, OnnxStepExecutor])
def test_more_steps_than_constants_are_refused(make: type[ReferenceStepExecutor]) -> None:
    executor = make(everything(steps=2))
    stepped(executor, frames(2))
    with pytest.raises(UsageError, match="made for 2"):
        executor.step(frames(1)[0])
