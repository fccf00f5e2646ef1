"""The reference as a target: options, runs, folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import spikeport
from spikeport.convert.ops import BatchNorm
from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.targets.artefact import verify_artefact, write_artefact
from spikeport.targets.lowered import Lowered, run_executor
from spikeport.targets.reference import ReferenceLowered, lower


def test_it_runs_and_comes_back_from_its_folder(max_former, tmp_path: Path) -> None:
    lowered: Lowered = spikeport.lower(max_former.graph, "reference")
    frames = max_former.frames
    run = lowered.run(frames, spikes=True)
    assert run.backend == lowered.backends[0] == "cpu" and run.outputs.dtype == torch.float32
    exact = run_executor(spikeport.Interpreter(max_former.graph, torch.float64), frames, "")
    assert list(run.spikes) == list(exact.spikes)
    assert all(torch.equal(run.spikes[name], exact.spikes[name]) for name in run.spikes)
    assert not lowered.run(frames).spikes
    lowered.save(tmp_path)
    again = ReferenceLowered.load(tmp_path)
    assert torch.equal(again.run(frames).outputs, run.outputs)
    assert json.loads((tmp_path / "report.json").read_text())["implementations"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_an_artefact_proves_itself(max_former, tmp_path: Path, dtype: str) -> None:
    lowered = spikeport.lower(max_former.graph, "reference", dtype=dtype)
    write_artefact(lowered, max_former.frames[:, :1], tmp_path)
    assert verify_artefact(tmp_path).ok
    settings = tmp_path / "settings.json"
    settings.write_text(settings.read_text().replace(dtype, "float16"))
    assert "settings.json" in verify_artefact(tmp_path).problems[0]


def test_batch_norms_are_folded() -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Flatten()
    ).eval()
    from spikingjelly.activation_based import neuron

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.lif = net, neuron.LIFNode(step_mode="m", v_threshold=0.1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.lif(self.net(x.flatten(0, 1)).unflatten(0, x.shape[:2])).mean(0)

    x = torch.randn(3, 2, 2, 5, 5)
    graph = spikeport.trace(Net(), x, fold=False)
    lowered = spikeport.lower(graph, "reference", dtype="float64")
    assert any(isinstance(node.op, BatchNorm) for node in graph)
    assert not any(isinstance(node.op, BatchNorm) for node in lowered.graph)
    exact = spikeport.Interpreter(graph, torch.float64).run(x)
    assert torch.allclose(lowered.run(x).outputs, exact, atol=1e-12)


def test_flips_are_reported(max_former) -> None:
    silent = lower(max_former.graph, dtype="bfloat16").report.warnings()
    assert "not measured" in silent[0]
    report = lower(max_former.graph, dtype=torch.bfloat16, sample=max_former.frames).report
    flips = report.as_json()["flips"]
    assert (
        flips["flipped"] > 0 and f"{flips['flipped']} of {flips['spikes']}" in report.warnings()[0]
    )
    assert not lower(max_former.graph, sample=max_former.frames).report.warnings()


def test_what_cannot_be_meant_is_refused(max_former) -> None:
    graph = max_former.graph
    with pytest.raises(UnknownNameError, match="float32"):
        lower(graph, dtype="float23")
    with pytest.raises(UnknownNameError, match="number format"):
        lower(graph, dtype=torch.int8)
    with pytest.raises(UnknownNameError, match="channels_last"):
        lower(graph, layout="channels_first")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="option of reference"):
        spikeport.lower(graph, "reference", weight_bits=6)
    with pytest.raises(UnknownNameError, match="device"):
        lower(graph, device="tpu")
    with pytest.raises(UnknownNameError, match="backend of reference"):
        lower(graph).run(max_former.frames, backend="pump")
    with pytest.raises(UsageError, match=r"\[T, B, 2, 16, 16\]"):
        lower(graph).run(max_former.frames[..., :5])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_told(max_former) -> None:
    with pytest.raises(UsageError, match="no GPU"):
        lower(max_former.graph, device="cuda")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[:-20], "not JSON"),
        (lambda text: text.replace("spikeport-reference", "other"), "not part of"),
        (lambda text: text.replace('"version": 1', '"version": 7'), "version 7"),
        (lambda text: text.replace("float32", "float23"), "do not exist"),
        (lambda text: text.replace('"cpu"', '"tpu"'), "do not exist"),
    ],
)
def test_a_damaged_folder_is_refused(max_former, tmp_path: Path, change, why: str) -> None:
    lower(max_former.graph).save(tmp_path)
    path = tmp_path / "settings.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(FileError, match=why):
        ReferenceLowered.load(tmp_path)
