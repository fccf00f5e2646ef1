"""The two files: what is in them, how they are called, saved and read."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from nets import NETS, lively
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

import spikeport
from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.executor import Executor
from spikeport.convert.graph import Node, rebuilt
from spikeport.convert.ops import Neuron
from spikeport.core.errors import (
    FileError,
    MissingPackageError,
    UnknownNameError,
    UsageError,
)
from spikeport.targets import TARGETS
from spikeport.targets.lowered import run_executor
from spikeport.targets.onnx import OnnxExecutor, OnnxLowered, OnnxRunError, lower, session
from spikeport.targets.onnx import executor as executors
from spikeport.targets.onnx.metadata import read_metadata
from spikeport.targets.onnx.running import UnrolledRunner
from spikeport.targets.onnx.session import watching


@cache
def traced(name: str) -> tuple[Graph, Tensor]:
    """A graph, and frames of three samples for it."""
    torch.manual_seed(3)
    make, shape = NETS[name]
    sample = torch.randn(shape) * 2
    graph = trace(lively(make()), sample)
    return graph, to_graph_layout(graph, sample).double()


def agree(graph: Graph, lowered: OnnxLowered, frames: Tensor) -> None:
    """Every spike of both files is the interpreter's, in float64."""
    want = run_executor(Interpreter(graph, torch.float64), frames, "interpreter")
    for backend in lowered.backends:
        got = lowered.run(frames, backend=backend, spikes=True)
        assert list(got.spikes) == list(want.spikes) != []
        for name, spikes in want.spikes.items():
            assert torch.equal(spikes, got.spikes[name]), (backend, name)
        assert got.outputs.shape == want.outputs.shape
        assert torch.allclose(got.outputs, want.outputs, rtol=0, atol=1e-12), backend


@pytest.mark.parametrize("name", NETS)
def test_networks_as_users_write_them(name: str) -> None:
    graph, frames = traced(name)
    agree(graph, lower(graph, dtype="float64"), frames)


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_the_batch_is_open(batch: int) -> None:
    for name, axis in (("sequential", 1), ("image-repeat", 0)):
        graph, frames = traced(name)
        indices = torch.arange(batch) % frames.shape[axis]
        agree(graph, lower(graph, dtype="float64"), frames.index_select(axis, indices))


def test_any_number_of_steps_where_the_network_leaves_it_open() -> None:
    graph, frames = traced("sequential")
    longer = frames.repeat(2, 1, 1, 1, 1)[:7]
    agree(graph, lower(graph, dtype="float64", steps=7), longer)
    lowered = lower(graph, dtype="float64")
    assert lowered.report.steps == 4
    want = Interpreter(graph, torch.float64).run(longer)
    assert torch.allclose(OnnxExecutor(graph, "float64").run(longer), want, rtol=0, atol=1e-12)
    streamed = lowered.run(longer, backend="onnxruntime-step").outputs
    assert torch.allclose(streamed, want, rtol=0, atol=1e-12)


def test_the_sessions_that_are_kept_are_those_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, frames = traced("sequential")
    executor, made = OnnxExecutor(graph), list[int]()

    def counting(*args: Any) -> UnrolledRunner:
        runner = UnrolledRunner(*args)
        made.append(runner.steps)
        return runner

    monkeypatch.setattr(executors, "UnrolledRunner", counting)
    monkeypatch.setattr(executors, "RUNNERS", 2)
    for steps in (1, 2, 1, 3, 1, 2):
        executor.run(frames[:steps])
    assert made == [1, 2, 3, 2]
    assert len(executor._runners) == 2


def watched(executor: Executor, frames: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    values: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> None:
        values[node.name] = value.clone()

    return executor.run(frames, keep), values


@pytest.mark.parametrize(("name", "axis"), [("sequential", 1), ("image-repeat", 0)])
def test_a_batch_that_is_watched_is_cut_up_and_shown_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, axis: int
) -> None:
    sizes, plain = list[int](), UnrolledRunner.run

    def sized(self: UnrolledRunner, frames: Tensor, *more: Any) -> Tensor:
        sizes.append(frames.shape[axis])
        return plain(self, frames, *more)

    monkeypatch.setattr(UnrolledRunner, "run", sized)
    monkeypatch.setattr(executors, "CHUNK", 2)
    graph, frames = traced(name)
    executor = OnnxExecutor(graph, "float64")
    output, values = watched(executor, frames)
    assert sizes == [2, 1] and list(values) == [node.name for node in executor.graph]
    expected, wanted = watched(Interpreter(executor.graph, torch.float64), frames)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    for each, want in wanted.items():
        torch.testing.assert_close(values[each], want, rtol=0, atol=1e-12)


class OneStep(nn.Module):
    """One time step; the loop is the user's."""

    def __init__(self) -> None:
        super().__init__()
        from spikingjelly.activation_based import layer, neuron

        self.net = nn.Sequential(
            layer.Conv2d(2, 4, 3, padding=1), layer.BatchNorm2d(4), neuron.LIFNode(v_threshold=0.4),
            layer.Flatten(), layer.Linear(4 * 36, 5), neuron.IFNode(v_reset=None),
        )  # fmt: skip

    def forward(self, frame: Tensor) -> Tensor:
        return self.net(frame)


@pytest.mark.parametrize("steps", [None, 5])
def test_models_of_one_step(steps: int | None) -> None:
    """Frames per step, or an image that the user's loop shows again and again."""
    torch.manual_seed(0)
    sample = torch.randn(2, 2, 6, 6) if steps else torch.randn(4, 2, 2, 6, 6)
    graph = trace(lively(OneStep()), sample, steps=steps, layout=None if steps else "TBCHW")
    lowered = lower(graph, dtype="float64")
    assert lowered.report.steps == (steps or 4)
    agree(graph, lowered, sample.double())


def test_the_read_out_is_valid_after_each_step() -> None:
    """Accuracy against steps from one pass: after t steps the output is that of t steps."""
    graph, _ = traced("image-repeat")
    graph_t, frames = traced("batch-first")
    lowered = lower(graph_t, dtype="float64")
    for step, (output, _) in enumerate(lowered.stream().stream(frames), 1):
        want = Interpreter(graph_t, torch.float64).run(frames[:step])
        assert torch.allclose(output, want, rtol=0, atol=1e-12), step
    assert step == len(frames)
    assert lower(graph).report.as_json()["files"]["step"]["states"][:1] == ("lif.v",)


def test_names_and_metadata_tell_how_to_call_the_files() -> None:
    graph, _ = traced("sequential")
    lowered = lower(graph, class_names=[f"c{i}" for i in range(10)], preprocessing="as trained")
    assert lowered.step is not None
    for kind, model in lowered.models().items():
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 10
        assert [(each.domain, each.version) for each in model.opset_import] == [("", 20)]
        values = {name for node in model.graph.node for name in node.output}
        assert {node.name for node in graph if node.inputs} <= values
        told = read_metadata(model)
        assert (told["kind"], told["steps"], told["dtype"]) == (kind, "4", "float32")
        assert told["preprocessing"] == "as trained"
        assert json.loads(told["class_names"])[3] == "c3"
        conventions = json.loads(told["neurons"])
        assert list(conventions) == [n.name for n in graph if isinstance(n.op, Neuron)]
        last = conventions[graph.outputs[0]]
        assert last["kind"] == "lif" and last["tau"] == 2.0 and last["decay_input"] is False
        assert last["fires"] == "membrane >= threshold" and last["v_threshold"] == 1.0
    batch = lowered.unrolled.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in batch] == [4, "batch", 2, 16, 16]
    assert read_metadata(lowered.unrolled)["layout"] == "[T, B, 2, 16, 16]"
    states = json.loads(read_metadata(lowered.step)["states"])
    assert [state["name"] for state in states] == [i.name for i in lowered.step.graph.input][1:]
    assert [state["next"] for state in states] == [o.name for o in lowered.step.graph.output][1:]
    assert all(state["name"] == f"{state['module']}.v" for state in states)


def test_a_folder_is_read_back_and_runs(tmp_path: Path) -> None:
    for name in ("sequential", "image-repeat"):
        graph, frames = traced(name)
        lowered = spikeport.lower(graph, "onnx", dtype="float64")
        lowered.save(tmp_path / name)
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
            "README.txt", "graph.spg", "report.json", "step.onnx", "unrolled.onnx",
        ]  # fmt: skip
        load = TARGETS["onnx"].load
        assert load is not None
        again = load(tmp_path / name)
        assert again.report == lowered.report and again.tolerance == lowered.tolerance
        for backend in lowered.backends:
            runs = [each.run(frames, backend=backend, spikes=True) for each in (lowered, again)]
            assert torch.equal(runs[0].outputs, runs[1].outputs)
            assert all(torch.equal(runs[1].spikes[k], v) for k, v in runs[0].spikes.items())


@pytest.mark.parametrize("name", ["sequential", "image-repeat"])
def test_the_readme_of_a_folder_runs(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    lowered = lower(traced(name)[0])
    lowered.save(tmp_path)
    text = (tmp_path / "README.txt").read_text()

    kept = [line[4:] for line in text.splitlines() if re.match(" {4}(?! {8})", line)]
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec("\n".join(kept), found)
    zeros = torch.from_numpy(found["frames"])
    want = lowered.run(zeros).outputs
    last = want if zeros.ndim == 4 else want[-1]
    assert torch.allclose(torch.from_numpy(found["output"]), last, rtol=0, atol=1e-5)


def _other_graph(folder: Path) -> None:
    lower(traced("vectors")[0]).save(folder / "other")
    (folder / "other" / "graph.spg").replace(folder / "graph.spg")


def _truncate(folder: Path) -> None:
    content = (folder / "unrolled.onnx").read_bytes()
    (folder / "unrolled.onnx").write_bytes(content[: len(content) // 2])


def _swap(folder: Path) -> None:
    (folder / "step.onnx").replace(folder / "unrolled.onnx")


def _change(what: Any) -> Any:
    def change(folder: Path) -> None:
        model = onnx.load(folder / "unrolled.onnx")
        what(model)
        (folder / "unrolled.onnx").write_bytes(model.SerializeToString())

    return change


def _external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


def _external_in_a_node(model: onnx.ModelProto) -> None:
    tensor = onnx.TensorProto(data_type=onnx.TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="pyproject.toml")
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["spare"], value=tensor))


def _future(model: onnx.ModelProto) -> None:
    next(p for p in model.metadata_props if p.key == "spikeport.format").value = "2"


DAMAGE = {
    "missing": (lambda folder: (folder / "unrolled.onnx").unlink(), "does not exist"),
    "truncated": (_truncate, "unusable"),
    "other graph": (_other_graph, "does not belong"),
    "swapped": (_swap, "holds a step graph"),
    "foreign": (_change(lambda model: model.ClearField("metadata_props")), "format version None"),
    "newer": (_change(_future), "format version 2"),
    "external": (_change(_external), "other files"),
    "external, in a node": (_change(_external_in_a_node), "other files"),
    "invalid": (_change(lambda model: model.graph.node.pop(2)), "unusable"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_folders_are_refused(damage: str, tmp_path: Path) -> None:
    lower(traced("sequential")[0]).save(tmp_path)
    change, why = DAMAGE[damage]
    change(tmp_path)
    with pytest.raises(FileError, match=why):
        OnnxLowered.load(tmp_path)


def test_a_runtime_of_another_maker_agrees() -> None:
    """onnx's own reference evaluator, which shares no code with onnxruntime."""
    graph, frames = traced("image-repeat")
    want = run_executor(Interpreter(graph, torch.float64), frames, "interpreter")
    model = watching(lower(graph, dtype="float64").unrolled, list(want.spikes))
    outputs, *spikes = ReferenceEvaluator(model).run(None, {graph.input.name: frames.numpy()})
    assert torch.allclose(torch.from_numpy(outputs), want.outputs, rtol=0, atol=1e-12)
    for expected, got in zip(want.spikes.values(), spikes, strict=True):
        assert torch.equal(expected.flatten(0, 1), torch.from_numpy(got).bool())


def test_a_missing_runtime_is_told(monkeypatch: Any) -> None:
    graph, frames = traced("vectors")
    lowered = lower(graph)
    monkeypatch.setattr(session.importlib.util, "find_spec", lambda name: None)
    assert "not installed" in TARGETS["onnx"].missing()
    for backend in lowered.backends:
        with pytest.raises(MissingPackageError, match="uv pip install onnxruntime"):
            lowered.run(frames, backend=backend)


def test_what_onnxruntime_refuses_is_told() -> None:
    graph, frames = traced("vectors")
    lowered = lower(graph)
    lowered.unrolled.graph.node[3].op_type = "NoSuchOp"
    with pytest.raises(OnnxRunError, match="refuses the model"):
        lowered.run(frames)


def test_threads_are_those_of_pytorch(monkeypatch: Any) -> None:
    import onnxruntime

    seen: list[int] = []
    real = onnxruntime.InferenceSession

    def spy(content: bytes, options: Any, **more: Any) -> Any:
        seen.append(options.intra_op_num_threads)
        return real(content, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    graph, frames = traced("vectors")
    lower(graph).run(frames)
    assert seen == [3]


def test_what_cannot_be_meant_is_refused() -> None:
    graph, frames = traced("sequential")
    image, images = traced("image-repeat")
    lowered = lower(graph)
    with pytest.raises(UsageError, match="unrolled graph has 4"):
        lowered.run(frames[:2])
    with pytest.raises(UsageError, match=r"takes input \[T, B, 2, 16, 16\]"):
        lowered.run(frames[0])
    with pytest.raises(UsageError, match="batch is empty"):
        lowered.run(frames[:, :0])
    with pytest.raises(UsageError, match="takes input"):
        lowered.run(frames[..., :3], backend="onnxruntime-step")
    with pytest.raises(UnknownNameError, match="backend of onnx"):
        lowered.run(frames, backend="tensorrt")
    with pytest.raises(UsageError, match=r"option steps"):
        lower(graph, steps=0)
    with pytest.raises(UsageError, match=r"opset"):
        lower(graph, opset=20)
    with pytest.raises(UsageError, match="computes with 4 time steps, not 3"):
        lower(image, steps=3)
    plain = lower(image, streaming=False)
    assert plain.backends == ("onnxruntime",) and plain.step is None
    assert plain.run(images).outputs.shape == (3, 5)
    with pytest.raises(UnknownNameError):
        plain.stream()
    unproven = rebuilt(graph)
    unproven.metadata.pop("certificate")
    with pytest.raises(UsageError, match="Give steps="):
        lower(unproven)
