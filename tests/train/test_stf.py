"""Temporal feedback around the encoding layer (arXiv 2508.00387)."""

from __future__ import annotations

import itertools

import pytest
import torch
from nets import lively
from spikingjelly.activation_based import functional
from spikingjelly.activation_based.model.qkformer import QKFormer
from spikingjelly.activation_based.model.spike_driven_transformer import SpikeDrivenTransformer
from spikingjelly.activation_based.model.spikformer import Spikformer
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn

from spikeport import add_stf
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.train.models import create_model
from spikeport.train.models.stf.encoder import StfEncoder
from spikeport.train.models.stf.options import VARIANTS

SMALL = {"embed_dims": 128, "num_classes": 10, "num_heads": 4, "depths": 1, "T": 3}
SPIKINGJELLY = {
    "spikformer": lambda: Spikformer(**SMALL, patch_size=4, img_size_h=16, img_size_w=16),
    "qkformer": lambda: QKFormer(T=3, embed_dims=128, num_classes=10, num_heads=(4, 4, 4)),
    "spike-driven": lambda: SpikeDrivenTransformer(**SMALL, pooling_stat="0011"),
}
OURS = ("max_former_cifar", "ms_qkformer_cifar", "spikformer_cifar_4_384", "max_former_10_384")


def encoder_of(model: nn.Module) -> StfEncoder:
    (found,) = (module for module in model.modules() if isinstance(module, StfEncoder))
    return found


def stf_parameters(model: nn.Module) -> dict[str, int]:
    counts = {"TSPE": 0, "TF": 0}
    for name, value in encoder_of(model).named_parameters():
        if name.startswith("tspe"):
            counts["TSPE"] += value.numel()
        elif name.startswith(("loop.conv", "loop.bn")):
            counts["TF"] += value.numel()
    return counts


def spikformer_cifar() -> nn.Module:
    return add_stf(create_model("spikformer_cifar_4_384"), "arch_4")


def spike_driven_2_512() -> nn.Module:
    model = SpikeDrivenTransformer(
        T=4, embed_dims=512, depths=2, num_classes=10, pooling_stat="0011"
    )
    return add_stf(model, "arch_4", image_size=(32, 32))


def qkformer_10_768() -> nn.Module:
    with torch.device("meta"):
        model = QKFormer(T=4, embed_dims=768, num_heads=(12, 12, 12))
        return add_stf(model, "arch_4", image_size=(224, 224))


@pytest.mark.parametrize(
    ("make", "position", "feedback"),
    [
        (spikformer_cifar, 196_608, 20_832),
        (spike_driven_2_512, 262_144, 36_992),
        (qkformer_10_768, 4_816_896, 83_136),
    ],
)
def test_parameters_are_as_many_as_derived(make, position: int, feedback: int) -> None:  # type: ignore[no-untyped-def]
    assert stf_parameters(make()) == {"TSPE": position, "TF": feedback}


def plain_loop(encoder: StfEncoder, frames: Tensor, variant: str) -> Tensor:
    """The recipe as it is told, without any of the machinery: spikes `[T, B, ...]`."""
    places = VARIANTS[variant]
    loop = encoder.loop
    stem = encoder.stem if places.feedback == "currents" else loop.stem
    position = encoder.tspe.position if places.embedding else None
    membrane, spikes = 0.0, []
    for t, frame in enumerate(frames):
        fed_back = loop.bn(loop.conv(spikes[-1])) if t else 0.0
        if places.embedding == "input":
            frame = frame + position[t]
        if places.feedback == "input":
            frame = frame + fed_back
        current = stem(frame)
        if places.embedding == "currents":
            current = current + position[t]
        if places.feedback == "currents":
            current = current + fed_back
        charged = membrane + (current - membrane) / 2
        spikes.append((charged >= 1).to(charged.dtype))
        membrane = (1 - spikes[-1]) * charged
    return torch.stack(spikes)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("backbone", ["max_former_cifar", "ms_qkformer_10_384"])
def test_spikes_are_those_of_the_recipe(backbone: str, variant: str) -> None:
    torch.manual_seed(0)
    model = create_model(backbone, dim=128, heads=4, image_size=(32, 32), steps=3, stf=variant)
    encoder = encoder_of(lively(model).double())
    # Neurons that hardly fire, or always do, would hide what is fed back.
    encoder.loop.bn.bias.data.fill_(0.4)
    frames = torch.randn(3, 2, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        spikes = encoder(frames)
        expected = plain_loop(encoder, frames, variant)
    assert torch.equal(spikes, expected)
    assert 0.02 < float(spikes.mean()) < 0.98
    assert not torch.equal(spikes[1], spikes[2])


def spiking_jelly_case(name: str, variant: str) -> tuple[nn.Module, nn.Module, Tensor]:
    model = SPIKINGJELLY[name]()
    size = 64 if name == "qkformer" else 16
    changed = add_stf(model, variant, image_size=(size, size))
    return model, changed, torch.randn(3, 2, 3, size, size)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", SPIKINGJELLY)
def test_spikingjellys_models_take_it(name: str, variant: str) -> None:
    model, changed, frames = spiking_jelly_case(name, variant)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    functional.set_step_mode(changed, "m")
    lively(changed).double()
    with torch.no_grad():
        scores = changed(frames.double())
        expected = plain_loop(encoder_of(changed), frames.double(), variant)
        functional.reset_net(changed)
        assert torch.equal(encoder_of(changed)(frames.double()), expected)
    assert scores.shape == (2, 10) or scores.shape == (3, 2, 10)
    assert torch.isfinite(scores).all()
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), "the model handed in stays as it is"


@pytest.mark.parametrize("name", OURS)
def test_silent_feedback_changes_nothing(name: str) -> None:
    """With zeros for P and for the gain of the feedback it is the plain model."""
    size = {"image_size": (32, 32), "dim": 128, "heads": 4}
    plain = lively(create_model(name, **size)).double()
    model = add_stf(plain, "arch_4")
    encoder = encoder_of(model)
    with torch.no_grad():
        for silent in (encoder.tspe.position, encoder.loop.bn.weight, encoder.loop.bn.bias):
            silent.zero_()
        x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
        torch.testing.assert_close(model(x), plain(x), rtol=0, atol=1e-10)
        encoder.loop.bn.bias.fill_(1.0)
        assert not torch.allclose(model(x), plain(x))


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_everything_and_no_state_stays(variant: str) -> None:
    model = create_model("max_former_cifar", stf=variant, steps=2, dim=32, heads=4, stages=STAGES)
    x = torch.randn(2, 3, 32, 32)
    model(x).square().sum().backward()
    missing = [name for name, value in model.named_parameters() if value.grad is None]
    assert not missing
    model.eval()
    with torch.no_grad():
        assert torch.equal(model(x), model(x))


STAGES = ({"embedding": "orig", "mixer": "dwc3"},)


def words(steps: int, v_reset: float | None) -> int:
    """How many spike trains of T steps a resting neuron answers constant currents with."""
    lif = LIFNode(step_mode="m", v_reset=v_reset)
    currents = torch.linspace(0, 2.0**steps + 1, 2_000_001, dtype=torch.float64)
    spikes = lif(currents.expand(steps, -1))
    return len(torch.unique(spikes, dim=1).T)


@pytest.mark.parametrize("steps", [2, 4, 6, 8])
def test_identical_frames_reach_only_periodic_words(steps: int) -> None:
    assert words(steps, 0.0) == steps + 1
    assert words(steps, None) == {2: 3, 4: 7, 6: 13, 8: 23}[steps]


def test_feedback_lifts_the_cap_on_words() -> None:
    model = create_model("max_former_cifar", stf="arch_4", stages=STAGES, dim=32, heads=4)
    encoder = encoder_of(lively(model).double())
    with torch.no_grad():
        spikes = encoder.show(torch.randn(4, 3, 32, 32, dtype=torch.float64), 4)
    trains = spikes.flatten(1).to(torch.int64)
    assert len(torch.unique(trains, dim=1).T) > 4 + 1


def test_position_of_the_input_is_the_sum_of_two_sinusoids() -> None:
    encoder = encoder_of(create_model("max_former_cifar", stf="arch_2"))
    position = encoder.tspe.position[:, 0].detach()
    at_start = position[:1] - position[:1, :, :1, :1]
    torch.testing.assert_close(position - position[:, :, :1, :1], at_start.expand_as(position))


def test_position_of_currents_tells_time_rows_and_columns_apart() -> None:
    position = encoder_of(create_model("max_former_cifar", stf="arch_4")).tspe.position[:, 0]
    time, rows, columns = position.detach().split([12, 18, 18], dim=1)
    assert torch.equal(time, time[:, :, :1, :1].expand_as(time))
    assert torch.equal(rows, rows[:1, :, :, :1].expand_as(rows))
    assert torch.equal(columns, columns[:1, :, :1, :].expand_as(columns))
    for part, axis in ((time, 0), (rows, 2), (columns, 3)):
        values = part.movedim(axis, 0).flatten(1)
        for one, other in itertools.combinations(values, 2):
            assert not torch.equal(one, other)


def test_refusals() -> None:
    with pytest.raises(UnsupportedError, match="no encoding layer of its own"):
        add_stf(create_model("max_resnet18"), "arch_4")
    first = ({"embedding": "max", "mixer": "identity"},)
    with pytest.raises(UnsupportedError, match="does not begin with a convolution"):
        add_stf(create_model("max_former_cifar", stages=first), "arch_4")
    with pytest.raises(UnsupportedError, match="encoding layer is not known"):
        add_stf(nn.Linear(2, 2), "arch_4", steps=2)
    with pytest.raises(UsageError, match="no variant arch_9"):
        add_stf(create_model("max_former_cifar"), "arch_9")
    with pytest.raises(UsageError, match=r"image_size="):
        add_stf(SPIKINGJELLY["qkformer"](), "arch_4")
    with pytest.raises(UsageError, match=r"steps="):
        add_stf(create_model("max_former_event"), "arch_4")
    with pytest.raises(UsageError, match="24 channels cannot be shared out"):
        create_model("max_former_cifar", dim=192, stf="arch_4")
    model = create_model("max_former_event", stf="arch_4", image_size=(32, 32))
    with pytest.raises(UsageError, match="made for 4 time steps, but the input has 3"):
        model(torch.zeros(1, 3, 2, 32, 32))
