"""Every checkpoint that must be refused, and what is said."""

from __future__ import annotations

import os
import pickle
import resource
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.train.checkpoint import load_model
from spikeport.train.loop import fit
from spikeport.train.models import create_model
from spikeport.train.recipe import Recipe
from spikeport.train.state import Progress, Setting, TrainingState

NAME = "max_former_digits"


@pytest.fixture
def weights() -> dict[str, Tensor]:
    return create_model(NAME).state_dict()


def _refused(path: Path, told: str, **options: object) -> None:
    with pytest.raises(FileError, match=told) as caught:
        load_model(NAME, path, **options)
    assert caught.value.where == str(path) and caught.value.fix


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_plain_weights_are_accepted(
    weights: dict[str, Tensor], tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"plain{suffix}"
    if suffix == ".pt":
        torch.save({"state_dict": weights}, path)
    else:
        save_file(weights, path)
    assert torch.equal(load_model(NAME, path).state_dict()["head.bias"], weights["head.bias"])


def test_missing_file(tmp_path: Path) -> None:
    _refused(tmp_path / "none.safetensors", "does not exist")
    _refused(tmp_path, "is not a file")


def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.safetensors"
    path.write_bytes(b"")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    _refused(path, "cannot be read")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_truncated_file(weights: dict[str, Tensor], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".pt":
        torch.save(weights, path)
    else:
        save_file(weights, path)
    path.write_bytes(path.read_bytes()[:-1000])
    _refused(path, "truncated")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_foreign_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    _refused(path, "truncated or not")


class _Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_pickle_that_wants_to_run_code(tmp_path: Path, writer: str) -> None:
    path, trace = tmp_path / "bad.pt", tmp_path / "executed"
    content = {"state_dict": _Malicious(trace)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(FileError):
        load_model(NAME, path)
    assert not trace.exists()


def test_another_number_of_classes(tmp_path: Path) -> None:
    path = tmp_path / "eleven.safetensors"
    save_file(create_model(NAME, num_classes=11).state_dict(), path)
    _refused(path, "tells 11 classes apart, the model 10.*num_classes=11")
    assert load_model(NAME, path, num_classes=11).head.out_features == 11


def test_missing_and_unexpected_weights_are_named(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "mixed.safetensors"
    del weights["stage2.0.attn.q_conv.weight"]
    weights["stage3.0.extra"] = torch.zeros(1)
    save_file(weights, path)
    _refused(path, r"missing: stage2\.0\.attn\.q_conv\.weight; unexpected: stage3\.0\.extra")


def test_weights_of_another_width_are_named(tmp_path: Path) -> None:
    path = tmp_path / "wide.safetensors"
    save_file(create_model(NAME, dim=32).state_dict(), path)
    _refused(path, r"another shape: .*\[2, 2, 3, 3\] instead of \[4, 2, 3, 3\].* and \d+ more")


def test_trained_options_are_remembered(tiny_recipe: Recipe, tmp_path: Path) -> None:
    result = fit(tiny_recipe, tmp_path)
    assert load_model(NAME, result.checkpoint).options.dim == 16
    with pytest.raises(FileError, match="holds a max_former_digits, not a max_former_event"):
        load_model("max_former_event", result.checkpoint)
    with pytest.raises(FileError, match="tells 2 classes apart"):
        load_model(NAME, result.checkpoint, num_classes=10)


def test_damaged_description(weights: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "described.safetensors"
    save_tensors(path, weights, {"spikeport.checkpoint": '{"format": 2}'})
    _refused(path, "damaged or of another version")


def test_unknown_model_comes_before_the_file(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="max_former_digits"):
        load_model("max_former_digit", tmp_path / "none")
    with pytest.raises(UsageError, match="max_former_digits"):
        load_model("max_former_event")


def test_input_of_another_size(weights: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    save_file(weights, path)
    with pytest.raises(UsageError, match=r"\[B, T, 2, 32, 32\].*\[1, 4, 2, 34, 34\]"):
        load_model(NAME, path)(torch.zeros(1, 4, 2, 34, 34))


def test_full_disk_leaves_the_earlier_checkpoint(tiny_recipe: Recipe, tmp_path: Path) -> None:
    result = fit(tiny_recipe, tmp_path)
    before = result.checkpoint.read_bytes()
    files = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(FileError, match="cannot write"):
            fit(tiny_recipe, tmp_path, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.checkpoint.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize("damage", ["cut", "foreign", "no metadata", "tensor gone"])
def test_damaged_training_state(tiny_recipe: Recipe, tmp_path: Path, damage: str) -> None:
    fit(tiny_recipe, tmp_path)
    path = tmp_path / "state.safetensors"
    tensors, metadata = load_tensors(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "foreign":
        path.write_bytes(b"something else")
    elif damage == "no metadata":
        save_tensors(path, tensors, {})
    else:
        del tensors["optimizer.3.exp_avg"], tensors["optimizer.3.exp_avg_sq"]
        del tensors["optimizer.3.step"]
        save_tensors(path, tensors, metadata)
    with pytest.raises(FileError, match="training state") as caught:
        fit(tiny_recipe, tmp_path, resume=True)
    assert caught.value.where == str(path)


def test_too_little_memory_is_no_damage_of_a_state(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = torch.nn.Linear(1, 1)
    state = TrainingState(model, None, torch.optim.SGD(model.parameters()))
    setting = Setting(tiny_recipe, 1)
    state.save(tmp_path / "state", setting, Progress(), {})

    def fails(*_: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(model, "load_state_dict", fails)
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        state.restore(tmp_path / "state", setting)
