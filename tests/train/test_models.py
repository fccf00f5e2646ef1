"""The model zoo."""

from __future__ import annotations

import copy

import golden
import pytest
import torch
from nets import lively
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.models import MODELS, ZooModel, create_model
from spikeport.train.models.embeddings import PatchEmbedding


def small(name: str) -> tuple[ZooModel, Tensor]:
    """A lively network in float64, and two samples, smaller than meant: the code is the same."""
    entry = MODELS[name]
    size = (16, 16) if "resnet" in name else (32, 32)
    options: dict[str, object] = {"image_size": size}
    if entry.static:
        options["steps"] = 2
    if entry.published:
        options |= {"dim": 64, "heads": 4}
    torch.manual_seed(0)
    model = create_model(name, **options)
    shape = (2, entry.input_shape[0], *size)
    generator = torch.Generator().manual_seed(1)
    if entry.static:
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
    else:
        # A position embedding is for one number of steps.
        steps = 3 if model.options.stf is None else entry.steps
        x = torch.randint(0, 3, (2, steps, *shape[1:]), generator=generator).double()
    lively(model)
    return model.double(), x


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_reads_the_shape_it_names(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = create_model(name).eval()
        shape = entry.input_shape if entry.static else (entry.steps, *entry.input_shape)
        scores = model(torch.zeros(1, *shape))
    assert scores.shape == (1, entry.num_classes)
    assert model.input_shape == entry.input_shape
    assert entry.description and entry.steps > 0


# One of each version of a family, and Spikformer with each place of STF.
LEARNERS: list[tuple[str, dict[str, object]]] = [
    *((name, {}) for name in MODELS if name.endswith("_digits") or "digits_" in name),
    ("max_former_cifar", {}),
    ("ms_qkformer_10_384", {}),
    ("spikformer_8_384", {}),
    *(
        ("spikformer_cifar_2_384", {"stf": arch})
        for arch in (None, *(f"arch_{i}" for i in range(1, 6)))
    ),
]


@pytest.mark.parametrize(("name", "options"), LEARNERS)
def test_every_weight_that_is_to_learn_has_a_part_in_the_scores(
    name: str, options: dict[str, object]
) -> None:
    """Processes that train together wait for the gradients of all of them."""
    entry = MODELS[name]
    with torch.device("meta"):
        model = create_model(name, **options)
        shape = entry.input_shape if entry.static else (entry.steps, *entry.input_shape)
        model(torch.zeros(2, *shape)).sum().backward()
    weights = dict(model.named_parameters())
    still = {name for name, weight in weights.items() if not weight.requires_grad}
    assert still == {name for name, weight in weights.items() if weight.grad is None}
    # What never runs in the published networks, and nothing else, stays as it is.
    assert all("norm" in each or each == "pos_embed" for each in still)
    assert bool(still) == name.startswith("spikformer")


@pytest.mark.parametrize("name", list(MODELS))
def test_samples_are_independent_and_no_state_stays(name: str) -> None:
    """One by one equals the batch; a second call equals the first."""
    model, x = small(name)
    with torch.no_grad():
        together, spikes = golden.run(model, x)
        one_by_one = torch.cat([model(sample) for sample in x.split(1)])
        assert torch.equal(model(x), together)
    torch.testing.assert_close(one_by_one, together, rtol=0, atol=1e-10)
    fired = {neuron: float(out.mean()) for neuron, out in spikes.items()}
    assert not torch.equal(together[0], together[1]), "the input reaches the output"
    assert sum(rate > 0 for rate in fired.values()) > len(fired) / 2, fired


def test_an_image_is_convolved_once_with_the_same_result_as_in_training() -> None:
    model, x = small("max_former_cifar")
    currents: list[tuple[int, ...]] = []
    hook = model.get_submodule("patch_embed1.proj_conv").register_forward_hook(
        lambda _, __, out: currents.append(tuple(out.shape))
    )
    with torch.no_grad():
        once = model(x)
        assert currents == [(2, 48, 32, 32)]
        for module in model.modules():
            if isinstance(module, PatchEmbedding):
                module.training = True
        repeated = model(x)
    hook.remove()
    assert currents[1:] == [(4, 48, 32, 32)]
    torch.testing.assert_close(once, repeated, rtol=0, atol=1e-10)


PUBLISHED_MILLIONS = {
    ("max_former_event", 10): 1.45,
    ("max_former_cifar", 10): 6.57,
    ("max_former_cifar", 100): 6.60,
    ("max_former_10_384", 1000): 16.23,
    ("max_former_10_512", 1000): 28.65,
    ("max_former_10_768", 1000): 63.99,
    ("max_resnet18", 10): 12.50,
    ("ms_resnet18", 10): 12.50,
    ("max_resnet18_2222", 100): 11.22,
    ("ms_resnet18_2222", 100): 11.22,
    ("ms_resnet34", 100): 21.33,
    ("ms_qkformer_event", 10): 1.50,
    ("ms_qkformer_cifar", 100): 6.74,
    ("ms_qkformer_10_384", 1000): 16.47,
    ("ms_qkformer_10_512", 1000): 29.08,
    ("ms_qkformer_10_768", 1000): 64.96,
    ("spikformer_cifar_4_384", 10): 9.32,
    ("spikformer_event", 10): 2.57,
    ("spikformer_8_384", 1000): 16.81,
    ("spikformer_6_512", 1000): 23.37,
    ("spikformer_8_512", 1000): 29.68,
    ("spikformer_10_512", 1000): 36.01,
    ("spikformer_8_768", 1000): 66.34,
}


@pytest.mark.parametrize(("case", "millions"), PUBLISHED_MILLIONS.items())
def test_parameters_are_as_many_as_the_papers_say(case: tuple[str, int], millions: float) -> None:
    """Papers cut or round to 10,000; Spikformer's leave out what its state dict holds unused."""
    name, classes = case
    with torch.device("meta"):
        model = create_model(name, num_classes=classes)
    used = sum(
        value.numel()
        for key, value in model.named_parameters()
        if not ("norm" in key or key == "pos_embed")
    )
    assert abs(used / 1e6 - millions) < 0.01


@pytest.mark.parametrize("name", [name for name in MODELS if "_digits" in name])
def test_digits_models_are_as_small_as_their_descriptions_say(name: str) -> None:
    parameters = sum(p.numel() for p in create_model(name).parameters())
    assert f" {parameters / 1000:.0f} k parameters" in MODELS[name].description


@pytest.mark.parametrize("name", ["max_resnet_digits", "ms_resnet_digits"])
def test_resnets_read_frames_as_they_read_an_image_shown_again_and_again(name: str) -> None:
    torch.manual_seed(0)
    frames = lively(create_model(name))
    images = create_model(name, steps=3)
    images.load_state_dict(frames.state_dict())
    image = torch.rand(2, 2, 32, 32) * 3
    repeated = image.unsqueeze(1).expand(-1, 3, -1, -1, -1)
    torch.testing.assert_close(frames(repeated), images.eval()(image))
    torch.testing.assert_close(frames.train()(repeated), images.train()(image))
    changing = repeated * torch.tensor([0, 1, 2]).view(3, 1, 1, 1)
    assert not torch.allclose(frames(changing), images(image))


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
