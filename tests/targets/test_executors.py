"""Executors by the name of a target and a backend."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
import torch
from lava_nets import Builder, event_frames
from torch import Tensor

from spikeport.convert import Graph, Interpreter, Node
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Add, Conv, Delay, MeanTime, Neuron
from spikeport.core.errors import UnknownNameError, UnsupportedError
from spikeport.targets import TARGETS, lower
from spikeport.targets.executors import BackendExecutor, check_name, executor_of

FRAMES = event_frames(steps=4, samples=3, side=6)


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Two layers of neurons and a mean over time."""
    b = Builder(FRAMES)
    last = b.lif("second", b.conv("conv", b.lif("first", b.conv("stem", "input", 5, 3)), 4, 3))
    b.graph.outputs = (b.op("mean", MeanTime(), last),)
    return b.graph


def calibration() -> Tensor:
    return FRAMES


def never() -> Tensor:
    raise AssertionError("not needed")


def shown(run: Callable[..., Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    values: dict[str, Tensor] = {}

    def tap(node: Node, value: Tensor) -> None:
        values[node.name] = value.double().clone()

    return run(FRAMES, tap), values


@pytest.mark.parametrize("target", ["onnx", "lava", "nir", "reference"])
def test_targets_name_their_backends(graph: Graph, target: str) -> None:
    options: dict[str, object] = {"calibration": FRAMES} if TARGETS[target].calibrated else {}
    options |= {"steps": 4} if TARGETS[target].unrolled else {}
    lowered = lower(graph, target, **options)
    assert set(lowered.backends) <= set(TARGETS[target].backends)
    assert lowered.backends[0] == TARGETS[target].backends[0]


@pytest.mark.parametrize("name", ["lava:pump", "lava:slayer", "onnx:onnxruntime-step"])
def test_backends_show_every_edge(graph: Graph, name: str) -> None:
    executor = executor_of(name, graph, calibration, steps=4)
    assert isinstance(executor, BackendExecutor)
    output, values = shown(executor.run)
    assert set(values) == {node.name for node in executor.graph}
    expected, wanted = shown(Interpreter(executor.graph, torch.float64).run)
    torch.testing.assert_close(output.double(), expected, rtol=1e-5, atol=1e-5)
    for node in executor.graph:
        exact = isinstance(node.op, Neuron) or name.startswith("lava")
        limits = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-5, "atol": 1e-5}
        torch.testing.assert_close(values[node.name], wanted[node.name], **limits)
    assert torch.equal(executor.run(FRAMES), output)


def test_the_first_backend_is_the_batched_executor(graph: Graph) -> None:
    for name in ("onnx:onnxruntime", "reference:cpu"):
        first, same = (executor_of(each, graph, never) for each in (name, name.split(":")[0]))
        assert type(first) is type(same)
        assert torch.equal(first.run(FRAMES), same.run(FRAMES))
    assert executor_of("lava", graph, calibration).latency == 2


def test_what_is_shown_follows_the_spikes_of_the_backend(graph: Graph) -> None:
    class Flipped:
        """A backend whose first layer emits something else."""

        def __init__(self) -> None:
            self.inner = lower(graph, "onnx", steps=4)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def run(self, frames: Tensor, **options: object) -> object:
            ran = self.inner.run(frames, **options)  # type: ignore[arg-type]
            return ran._replace(spikes={**ran.spikes, "first": ~ran.spikes["first"]})

    lowered = Flipped()
    _, values = shown(BackendExecutor(lowered, "onnxruntime-step").run)  # type: ignore[arg-type]
    _, true = shown(Interpreter(lowered.graph, torch.float64).run)
    assert torch.equal(values["first"], 1 - true["first"])
    conv = lowered.graph["conv"].op.cast(torch.float64)
    given = values["first"].flatten(0, 1)
    torch.testing.assert_close(values["conv"].flatten(0, 1), conv.apply(given))  # type: ignore[attr-defined]


def fed_back() -> Graph:
    b = Builder(FRAMES)
    current = b.conv("stem", "input", 4, 3, mean=0.7)
    b.graph.add("back", Delay("loop", b.graph[current].shape, Domain.REAL))
    b.op("sum", Add(), current, "back")
    b.lif("first", "sum")
    weight = 0.3 * torch.randn(4, 4, 1, 1, generator=torch.Generator().manual_seed(1)).double()
    b.op("loop", Conv(weight, None, (1, 1), (0, 0), (1, 1)), "first")
    b.graph.outputs = ("first",)
    return b.graph


def test_feedback_that_would_be_told_wrongly_is_refused() -> None:
    graph = fed_back()
    executor = executor_of("onnx:onnxruntime-step", graph, never, steps=4)
    lowered = executor._lowered  # type: ignore[attr-defined]

    class Other:
        def __getattr__(self, name: str) -> object:
            return getattr(lowered, name)

        def run(self, frames: Tensor, **options: object) -> object:
            ran = lowered.run(frames, **options)
            return ran._replace(spikes={name: ~each for name, each in ran.spikes.items()})

    changed = BackendExecutor(Other(), "onnxruntime-step")  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="feedback loop"):
        shown(changed.run)
    assert changed.run(FRAMES).shape[0] == 4


@pytest.mark.parametrize("name", ["lav", "lava:pmp", "reference:gpu", "onnx:"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(UnknownNameError):
        check_name(name)


@pytest.mark.parametrize(
    "name", ["reference", "onnx", "onnx:onnxruntime-step", "lava", "lava:pump", "nir"]
)
def test_executors_that_have_run_can_be_sent_to_another_process(graph: Graph, name: str) -> None:
    executor = executor_of(name, graph, calibration, steps=4)
    executor.run(FRAMES)
    outputs, values = shown(executor.run)
    again, sent = shown(pickle.loads(pickle.dumps(executor)).run)
    assert torch.equal(again, outputs)
    assert values.keys() == sent.keys()
    assert all(torch.equal(values[each], sent[each]) for each in values)
