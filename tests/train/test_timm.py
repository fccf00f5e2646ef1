"""The zoo under timm's names."""

from __future__ import annotations

import subprocess
import sys

import pytest
import timm
import torch

import spikeport
from spikeport.core.errors import UsageError
from spikeport.train.models import MODELS, create_model


def test_every_model_is_listed() -> None:
    assert set(timm.list_models("spikeport_*")) == {f"spikeport_{name}" for name in MODELS}
    assert spikeport.__version__


def test_timm_builds_the_same_model_with_its_own_words() -> None:
    ours = create_model("max_former_cifar", num_classes=7, in_channels=1, steps=2)
    theirs = timm.create_model("spikeport_max_former_cifar", num_classes=7, in_chans=1, T=2)
    assert theirs.options == ours.options
    assert theirs.num_classes == 7
    assert theirs.default_cfg["input_size"] == (1, 32, 32) and theirs.default_cfg["T"] == 2
    assert theirs.eval()(torch.zeros(1, 1, 32, 32)).shape == (1, 7)


def test_default_configs_tell_size_mean_std_and_steps() -> None:
    cfg = timm.get_pretrained_cfg("spikeport_max_former_10_384")
    assert (cfg.input_size, cfg.num_classes, cfg.T) == ((3, 224, 224), 1000, 4)
    assert cfg.mean == (0.485, 0.456, 0.406) and cfg.std == (0.229, 0.224, 0.225)
    data = timm.data.resolve_data_config(model=timm.create_model("spikeport_max_former_cifar"))
    assert data["input_size"] == (3, 32, 32) and data["std"] == (0.2470, 0.2435, 0.2616)
    event = timm.get_pretrained_cfg("spikeport_max_former_event")
    assert (event.input_size, event.T) == ((2, 128, 128), 16)
    # Frames of event counts are not normalised.
    assert event.mean == (0.0, 0.0) and event.std == (1.0, 1.0)


def test_weights_that_cannot_be_downloaded_are_refused() -> None:
    with pytest.raises(UsageError, match="load_checkpoint"):
        timm.create_model("spikeport_max_former_cifar", pretrained=True)
    with pytest.raises(UsageError, match="drop_rate"):
        timm.create_model("spikeport_max_former_cifar", drop_rate=0.1)


@pytest.mark.parametrize("imports", ["import timm, spikeport", "import spikeport, timm"])
def test_the_order_of_imports_does_not_matter(imports: str) -> None:
    program = f"{imports}; print(timm.is_model('spikeport_max_former_10_384'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_spikeport_alone_imports_neither_torch_nor_timm() -> None:
    program = "import spikeport, sys; print({'torch', 'timm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
