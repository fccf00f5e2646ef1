"""The model zoo."""

from __future__ import annotations

import copy

import pytest
import torch
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.models import MODELS, create_model


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_reads_the_shape_it_names(name: str) -> None:
    entry = MODELS[name]
    model = create_model(name).eval()
    with torch.no_grad():
        scores = model(torch.zeros(1, 2, *entry.input_shape))
    assert scores.shape == (1, 10)
    assert model.input_shape == entry.input_shape
    assert entry.description and entry.steps > 0


def test_digits_model_is_small() -> None:
    assert sum(p.numel() for p in create_model("max_former_digits").parameters()) == 93_098


def test_every_forward_starts_from_rest_and_leaves_no_state() -> None:
    model = create_model("max_former_digits", dim=16, heads=2, image_size=(16, 16))
    frames = torch.rand(3, 4, 2, 16, 16) * 3
    model.eval()
    first, again = model(frames), model(frames)
    assert torch.equal(first, again)
    assert torch.allclose(model(frames[:1]), first[:1], atol=1e-5)
    first.sum().backward()
    copy.deepcopy(model)


class _Neuron(nn.Module):
    """Stands for the opaque op that a tracer puts in place of a neuron."""

    def forward(self, x: Tensor) -> Tensor:
        return (x > 0.5).to(x.dtype)


def test_exports_with_symbolic_batch_and_time() -> None:
    model = create_model("max_former_digits").eval()
    for name, module in list(model.named_modules()):
        if isinstance(module, LIFNode):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, _Neuron())
    sizes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("steps")},)
    exported = torch.export.export(model, (torch.rand(2, 3, 2, 32, 32),), dynamic_shapes=sizes)
    frames = torch.rand(5, 7, 2, 32, 32)
    torch.testing.assert_close(exported.module()(frames), model(frames))


@pytest.mark.parametrize("hidden_ratio", [1.0, 2.0])
def test_mlp_ratio_changes_the_hidden_width(hidden_ratio: float) -> None:
    model = create_model("max_former_digits", mlp_ratio=hidden_ratio)
    assert model.get_parameter("stage2.0.mlp.fc1_conv.weight").shape[0] == 64 * hidden_ratio
    model(torch.zeros(2, 2, 2, 32, 32))


def test_unknown_model_tells_the_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="max_former_digits"):
        create_model("max_former_digit")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"dims": 64}, "dims"),
        ({"dim": 40}, "dim"),
        ({"heads": 7}, "heads 7 does not divide"),
        ({"image_size": (30, 32)}, "image_size"),
        ({"num_classes": 0}, "num_classes"),
    ],
)
def test_impossible_options_are_refused_by_name(options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        create_model("max_former_digits", **options)


@pytest.mark.parametrize("shape", [(1, 4, 2, 34, 34), (1, 4, 3, 32, 32), (4, 2, 32, 32)])
def test_input_of_another_size_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"\[B, T, 2, 32, 32\]"):
        create_model("max_former_digits")(torch.zeros(shape))
