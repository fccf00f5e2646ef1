"""What goes where, and what the report says about it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from spikingjelly.activation_based import layer, neuron
from torch import Tensor, nn

from spikeport import load_checkpoint
from spikeport.core.checkpoint import Ignored, Loaded

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "load_checkpoint.py"


def build(width: int = 4) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, 10)
    )


def filled(model: nn.Module, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    for value in model.state_dict().values():
        value.copy_(torch.rand(value.shape) if value.is_floating_point() else torch.tensor(7))
    return model


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"stem.{name}": value for name, value in weights.items()}


def test_names_that_differ_are_matched_by_position_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = filled(build()).state_dict()
    torch.save({"model": renamed(weights), "epoch": 9}, tmp_path / "c.pth")
    model = build()
    with caplog.at_level(logging.INFO, "spikeport"):
        report = load_checkpoint(model, tmp_path / "c.pth")
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert report.matched_by == "position"
    assert report.entries[0] == Loaded(
        "0.weight", "stem.0.weight", (4, 2, 3, 3), torch.float32, torch.float32
    )
    assert str(report) == (
        f"{tmp_path / 'c.pth'}: 9 entries loaded by position (torch file, model). "
        "Its names are not those of the model, so entries were matched by position (number, order "
        "and every shape agree; stem.0.weight went to 0.weight). Not read: epoch."
    )
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and record.message == str(report)


def test_matching_by_name_is_said_quietly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.save(filled(build()).state_dict(), tmp_path / "c.pth")
    with caplog.at_level(logging.INFO, "spikeport"):
        report = load_checkpoint(build(), tmp_path / "c.pth")
    assert str(report) == f"{tmp_path / 'c.pth'}: 9 entries loaded by name (torch file)."
    assert report.remarks == () and [r.levelno for r in caplog.records] == [logging.INFO]


def test_the_order_in_the_file_means_nothing_where_the_names_agree(tmp_path: Path) -> None:
    weights = filled(build()).state_dict()
    torch.save(dict(reversed(weights.items())), tmp_path / "c.pth")
    model = build()
    assert load_checkpoint(model, tmp_path / "c.pth").matched_by == "name"
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_some_names_may_agree_if_they_stand_at_their_place(tmp_path: Path) -> None:
    weights = filled(build()).state_dict()
    torch.save({n.replace("3.", "head."): v for n, v in weights.items()}, tmp_path / "c.pth")
    model = build()
    assert load_checkpoint(model, tmp_path / "c.pth").matched_by == "position"
    assert torch.equal(model[3].weight, weights["3.weight"])


def test_old_names_of_spikingjelly(tmp_path: Path) -> None:
    """Containers over time put a layer one level deeper than layers with a step mode do."""
    old = nn.Sequential(
        layer.SeqToANNContainer(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)), neuron.ParametricLIFNode()
    )
    new = nn.Sequential(layer.Conv2d(2, 4, 3), layer.BatchNorm2d(4), neuron.ParametricLIFNode())
    torch.save({"net": filled(old).state_dict()}, tmp_path / "c.pth")
    report = load_checkpoint(new, tmp_path / "c.pth")
    assert report.matched_by == "position" and report.key == "net"
    assert ("0.0.weight", "0.weight") in {(e.source, e.name) for e in report.entries}
    assert torch.equal(new[2].w, old[1].w)


def test_memories_and_traces_of_profilers_are_left_out_with_the_reason(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 3), neuron.LIFNode())
    weights = dict(filled(model).state_dict())
    weights |= {
        "1.v": torch.rand(5, 3),
        "total_ops": torch.zeros(1),
        "0.total_params": torch.ones(1),
    }
    for prefix in ("", "module."):
        torch.save({prefix + name: value for name, value in weights.items()}, tmp_path / "c.pth")
        report = load_checkpoint(model, tmp_path / "c.pth")
        assert [entry.source.removeprefix("module.") for entry in report.ignored] == [
            *(["1.v", "total_ops", "0.total_params"] if not prefix else []),
            *(["total_ops", "0.total_params", "1.v"] if prefix else []),
        ]
    assert "1 entry ignored (state of a neuron, which starts from rest): 1.v." in report.remarks
    assert Ignored("1.v", "state of a neuron, which starts from rest") in report.ignored


def test_half_precision_is_cast_and_it_is_said(tmp_path: Path) -> None:
    weights = filled(build()).state_dict()
    half = {n: v.half() if v.is_floating_point() else v for n, v in weights.items()}
    torch.save(half, tmp_path / "c.pth")
    model = build()
    report = load_checkpoint(model, tmp_path / "c.pth")
    assert report.remarks == ("8 entries cast from float16 to float32.",)
    assert model[0].weight.dtype == torch.float32
    assert torch.equal(model[0].weight, half["0.weight"].float())
    assert model[1].num_batches_tracked.dtype == torch.int64


def test_the_model_keeps_its_own_number_type_and_its_tensors(tmp_path: Path) -> None:
    torch.save(filled(build()).state_dict(), tmp_path / "c.pth")
    model = build().double()
    before = [id(value) for value in model.parameters()]
    load_checkpoint(model, tmp_path / "c.pth")
    assert {value.dtype for value in model.parameters()} == {torch.float64}
    assert [id(value) for value in model.parameters()] == before
    assert all(value.requires_grad for value in model.parameters())


def test_non_finite_weights_are_taken_if_allowed(tmp_path: Path) -> None:
    weights = filled(build()).state_dict()
    weights["1.bias"][2] = float("nan")
    torch.save(weights, tmp_path / "c.pth")
    model = build()
    report = load_checkpoint(model, tmp_path / "c.pth", allow_non_finite=True)
    assert report.non_finite == ("1.bias",)
    assert "Not all numbers are finite in 1.bias." in str(report)
    assert model[1].bias.isnan().sum() == 1


def test_one_parameter_under_two_names(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    torch.save(model.state_dict(), tmp_path / "c.pth")
    assert len(load_checkpoint(model, tmp_path / "c.pth").entries) == 4


@pytest.mark.parametrize("container", ["torch", "safetensors"])
def test_the_file_may_change_afterwards(tmp_path: Path, container: str) -> None:
    save = torch.save if container == "torch" else save_file
    save(filled(build()).state_dict(), tmp_path / "c")
    model = build()
    load_checkpoint(model, tmp_path / "c")
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    (tmp_path / "c").write_bytes(bytes((tmp_path / "c").stat().st_size))
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("container", ["pth.tar", "safetensors"])
def test_a_large_checkpoint_needs_little_more_memory_than_its_weights(container: str) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--container", container],
        check=True,
        capture_output=True,
        text=True,
    )
    (measured,) = json.loads(done.stdout)["runs"]
    assert measured["parameters"] > 60_000_000
    assert measured["peak_over_weights"] <= 1.3
