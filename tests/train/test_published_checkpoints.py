"""`load_model` on files that Spikeport did not write."""

import argparse
import hashlib
from pathlib import Path

import golden
import numpy as np
import pytest
import torch
from timm.utils import CheckpointSaver

from spikeport.core.checkpoint import read_weights
from spikeport.core.errors import FileError
from spikeport.train.checkpoint import load_model, load_model_and_report
from spikeport.train.loop import fit
from spikeport.train.models import create_model
from spikeport.train.recipe import Recipe

NAME = "max_former_digits"


@pytest.mark.parametrize("prefix", ["", "module.", "backbone."])
def test_a_file_of_the_published_training_program(tmp_path: Path, prefix: str) -> None:
    """The event Max-Former as timm's saver writes it: plain, distributed, and in another net."""
    case = "event_max_former_t4_c10"
    trained = create_model("max_former_event")
    trained.load_state_dict(golden.weights(case))
    optimizer = torch.optim.AdamW(trained.parameters())
    args = argparse.Namespace(model="max_former", lr=5e-3, T=4, amp=False, resume="")
    CheckpointSaver(trained, optimizer, args, checkpoint_dir=str(tmp_path)).save_checkpoint(
        95, np.float64(82.3)
    )
    path = tmp_path / "model_best.pth.tar"
    if prefix:
        weights = trained.state_dict()
        torch.save({"state_dict": {prefix + n: v for n, v in weights.items()}}, path)
    model, report = load_model_and_report("max_former_event", path)
    assert report.matched_by == ("position" if prefix == "backbone." else "name")
    assert report.key == "state_dict" and len(report.entries) == 110
    data = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    assert hashlib.sha256(data).hexdigest() == golden.manifest(case)["weights_sha256"]


def test_weights_under_other_names_go_by_position(tmp_path: Path) -> None:
    weights = create_model(NAME).state_dict()
    renamed = {name.replace("stage", "block"): value for name, value in weights.items()}
    torch.save({"model": renamed, "epoch": 1}, tmp_path / "c.pth")
    model, report = load_model_and_report(NAME, tmp_path / "c.pth")
    assert report.matched_by == "position" and report.beside == ("epoch",)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not model.training


def test_a_running_mean_is_taken_when_asked_for(tmp_path: Path) -> None:
    plain, mean = (create_model(NAME).state_dict() for _ in range(2))
    torch.save({"state_dict": plain, "state_dict_ema": mean}, tmp_path / "c.pth.tar")
    model = load_model(NAME, tmp_path / "c.pth.tar", ema=True)
    assert torch.equal(model.head.weight, mean["head.weight"])
    model = load_model(NAME, tmp_path / "c.pth.tar")
    assert torch.equal(model.head.weight, plain["head.weight"])


def test_both_sets_of_weights_of_a_training_state(tiny_recipe: Recipe, tmp_path: Path) -> None:
    result = fit(tiny_recipe, tmp_path)
    options = {"dim": 16, "num_classes": 2}
    path = tmp_path / "state.safetensors"
    assert read_weights(path).key == "model" and read_weights(path, ema=True).key == "average"
    mean = load_model(NAME, path, ema=True, **options).state_dict()
    plain = load_model(NAME, path, **options).state_dict()
    final = load_model(NAME, result.checkpoint).state_dict()
    assert torch.equal(mean["head.weight"], final["head.weight"])
    assert not torch.equal(plain["head.weight"], final["head.weight"])


def test_the_shipped_file_holds_no_running_mean() -> None:
    with pytest.raises(FileError, match="no running mean"):
        load_model(NAME, ema=True)
