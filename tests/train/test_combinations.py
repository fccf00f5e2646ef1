"""Patch embeddings and token mixers, combined freely; the rows of the ablation tables."""

from __future__ import annotations

import golden
import pytest
import torch
from nets import lively
from torch import Tensor, nn

from spikeport.core.errors import UsageError
from spikeport.train.models import MODELS, create_model
from spikeport.train.models.embeddings import EMBEDDINGS
from spikeport.train.models.mixers import MIXERS

FIRST = ("orig", "orig_imagenet", "max_plus", "qkformer_stem")
LATER = tuple(name for name in EMBEDDINGS if name not in FIRST)


def build(first: str, later: str, mixers: tuple[str, str]) -> nn.Module:
    stages = (
        {"embedding": first, "mixer": mixers[0]},
        {"embedding": later, "mixer": mixers[1], "mlp_ratio": 2.0},
    )
    torch.manual_seed(0)
    model = create_model(
        "max_former_event", dim=64, heads=4, image_size=(32, 32), stages=stages, num_classes=5
    )
    return lively(model).double()


def frames() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 4, (2, 3, 2, 32, 32), generator=generator).double()


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("first", FIRST)
def test_every_mixer_follows_every_first_embedding(first: str, mixer: str) -> None:
    model = build(first, "max", (mixer, "identity"))
    scores, spikes = golden.run(model, frames())
    assert scores.shape == (2, 5)
    deep = [out for name, out in spikes.items() if name.startswith("stage2")]
    assert any(not torch.equal(out[:, 0], out[:, 1]) for out in deep), "the input gets through"
    assert sum(bool(out.any()) for out in spikes.values()) > len(spikes) / 2
    with torch.no_grad():
        torch.testing.assert_close(model(frames()[:1]), scores[:1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("later", LATER)
def test_every_later_embedding_halves_the_size(later: str) -> None:
    model = build("orig", later, ("identity", "identity"))
    sizes: list[tuple[int, ...]] = []
    model.get_submodule("patch_embed2").register_forward_hook(
        lambda _, __, out: sizes.append(tuple(out.shape))
    )
    golden.run(model, frames())
    assert sizes == [(3, 2, 64, 16, 16)]


def _mixed(name: str) -> tuple[nn.Module, Tensor, Tensor, dict[str, Tensor]]:
    torch.manual_seed(5)
    mixer = lively(MIXERS[name].make(8, 2)).double()
    x = torch.randn(3, 2, 8, 4, 4, dtype=torch.float64) * 3
    out, spikes = golden.run(mixer, x)
    return mixer, x, out, spikes


def _currents(mixer: nn.Module, spikes: Tensor) -> Tensor:
    flat = spikes.reshape(6, 8, 16)
    return mixer.proj_bn(mixer.proj_conv(flat)).detach().reshape(3, 2, 8, 4, 4)


def test_spike_driven_attention_masks_channels_by_their_coincidences() -> None:
    mixer, x, out, spikes = _mixed("sdsa")
    q, k, v = (spikes[f"{name}_lif"] for name in "qkv")
    # One count for each channel, whatever its head.
    counts = torch.stack([(k[..., n] * v[..., n]) for n in range(16)]).sum(0)
    passes = spikes["attn_lif"].reshape(3, 2, 8)
    assert torch.equal(passes[0], (counts[0] / 2 >= 0.5).double())
    masked = q * passes.unsqueeze(-1)
    torch.testing.assert_close(out - x, _currents(mixer, masked), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", [3, 5])
def test_the_convolution_follows_attention_inside_the_shortcut(kernel: int) -> None:
    mixer, x, out, spikes = _mixed(f"ssa_dwc{kernel}")
    conv = nn.functional.conv2d(
        spikes["dwc_neuron"].flatten(0, 1),
        mixer.dwc.weight,
        mixer.dwc.bias,
        padding=kernel // 2,
        groups=8,
    )
    expected = mixer.dwc_bn(conv).detach().reshape(x.shape)
    torch.testing.assert_close(out - x, expected, rtol=1e-9, atol=1e-9)
    # What those neurons read are the currents of attention, not x.
    currents = _currents(mixer, spikes["attn_lif"])
    assert torch.equal(spikes["dwc_neuron"][0], (currents[0] / 2 >= 1).double())


@pytest.mark.parametrize("name", ["fft1d", "fft2d"])
def test_fourier_mixers_are_cosine_sums(name: str) -> None:
    _, x, out, spikes = _mixed(name)
    s = spikes["x_lif"].reshape(3, 2, 8, 16)

    def angles(n: int) -> Tensor:
        index = torch.arange(n, dtype=torch.float64)
        return 2 * torch.pi * index[:, None] * index / n

    tokens, channels = angles(16), angles(8)
    real = s @ tokens.cos() / 4
    if name == "fft2d":
        imaginary = s @ tokens.sin() / 4
        real = (channels.cos() @ real - channels.sin() @ imaginary) / 8**0.5
    torch.testing.assert_close((out - x).reshape(s.shape), real, rtol=1e-9, atol=1e-9)


ABLATIONS = [name for name in MODELS if name.startswith("ablation")]


def test_the_rows_of_the_tables_are_all_there() -> None:
    rows = [row for name in ABLATIONS for row in MODELS[name].published]
    assert len([table for table, _ in rows if table.startswith("table 7")]) == 24
    assert len([table for table, _ in rows if table == "table 4"]) == 16
    both = MODELS["ablation_c100_orig_max_max__ssa_ssa_ssa"].published
    assert both == (("table 7, group 4", 82.13), ("table 4", 82.23))


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_row_is_a_network(name: str) -> None:
    entry = MODELS[name]
    with torch.device("meta"):
        model = create_model(name).eval()
        shape = entry.input_shape if entry.static else (2, *entry.input_shape)
        assert model(torch.zeros(1, *shape)).shape == (1, entry.num_classes)


def test_the_row_that_is_max_former_is_max_former() -> None:
    row = create_model("ablation_c100_orig_max_max__id_dwc3_ssa").state_dict()
    published = create_model("max_former_cifar", num_classes=100).state_dict()
    assert [(k, v.shape) for k, v in row.items()] == [(k, v.shape) for k, v in published.items()]


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ({"embedding": "maxx", "mixer": "ssa"}, "no patch embedding is called maxx"),
        ({"embedding": "max", "mixer": "sssa"}, "no token mixer is called sssa"),
        ({"embedding": "max", "mixer": "ssa", "depth": 0}, "greater than or equal to 1"),
    ],
)
def test_stages_that_cannot_be_are_refused(stage: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        create_model("max_former_event", stages=({"embedding": "orig", "mixer": "dwc3"}, stage))


def test_what_reads_frames_comes_first() -> None:
    stages = ({"embedding": "orig", "mixer": "dwc3"}, {"embedding": "max_plus", "mixer": "dwc3"})
    with pytest.raises(UsageError, match="max_plus reads frames"):
        create_model("max_former_event", stages=stages)
