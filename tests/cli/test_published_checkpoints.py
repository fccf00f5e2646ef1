"""`--checkpoint` takes other people's files, for models by name and for the user's own."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import nn

from spikeport.core.tensors import load_tensors
from spikeport.train.checkpoint import shipped_weights

FACTORY = """
from torch import nn
from spikingjelly.activation_based import layer, neuron
def make():
    return nn.Sequential(layer.Conv2d(2, 3, 3, step_mode="m"), neuron.LIFNode(step_mode="m"))
"""


@pytest.fixture
def factory(tmp_path: Path) -> str:
    (tmp_path / "published_net.py").write_text(FACTORY)
    return "published_net:make"


def timm_layout(weights: dict[str, torch.Tensor]) -> dict[str, object]:
    args = argparse.Namespace(model="x", lr=0.1)
    return {"state_dict": weights, "args": args, "metric": np.float64(80.1), "epoch": 3}


def trace(cli, model: str, checkpoint: str, *more: object):
    return cli("trace", model, "--checkpoint", checkpoint, *more, "-o", "m.spg")


def test_a_factory_takes_a_published_file(cli, tmp_path: Path, factory: str) -> None:
    weights = nn.Conv2d(2, 3, 3).state_dict()
    named = {f"module.0.{name}": value for name, value in weights.items()}
    torch.save(timm_layout(named), tmp_path / "best.pth.tar")
    done = trace(cli, factory, "best.pth.tar", "--input", "4,2,2,8,8")
    assert done.code == 0, done.err
    assert "note" not in done.err


def test_weights_matched_by_position_are_said_to_be(cli, tmp_path: Path, factory: str) -> None:
    published = nn.Sequential()
    published.stem, published.act = nn.Conv2d(2, 3, 3), neuron.LIFNode()
    torch.save({"net": published.state_dict()}, tmp_path / "net.pth")
    done = trace(cli, factory, "net.pth", "--input", "4,2,2,8,8")
    assert done.code == 0, done.err
    told = " ".join(done.err.split())
    assert "note: net.pth: 2 entries loaded by position" in told
    assert "stem.weight went to 0.weight" in told


def test_weights_that_do_not_fit_a_factorys_model(cli, tmp_path: Path, factory: str) -> None:
    torch.save({"net": nn.Conv2d(2, 4, 3).state_dict()}, tmp_path / "net.pth")
    done = trace(cli, factory, "net.pth", "--input", "4,2,2,8,8")
    assert done.code == 2 and not (tmp_path / "m.spg").exists()
    assert "0.weight: nothing in the file, [3, 2, 3, 3] in the model (missing)" in done.err
    assert "weight: [4, 2, 3, 3] in the file, nothing in the model (unexpected)" in done.err


def test_a_model_by_name_takes_a_published_file(cli, tmp_path: Path) -> None:
    weights, _ = load_tensors(shipped_weights("max_former_digits"))
    torch.save(timm_layout(weights), tmp_path / "best.pth.tar")
    assert trace(cli, "max_former_digits", "best.pth.tar").code == 0
