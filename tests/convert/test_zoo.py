"""Every family of the zoo is traced and proven, with and without temporal feedback."""

from __future__ import annotations

import pytest
import torch
from nets import lively
from spikingjelly.activation_based.model.qkformer import QKFormer
from spikingjelly.activation_based.model.spike_driven_transformer import SpikeDrivenTransformer
from spikingjelly.activation_based.model.spikformer import Spikformer
from torch import Tensor, nn
from zoo_graphs import CASES, traced

from spikeport import add_stf
from spikeport.convert import Graph, trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Delay, Fourier
from spikeport.estimate import Tally
from spikeport.estimate.coverage import Coverage
from spikeport.train.models.mixers import MIXERS
from spikeport.train.models.stf.options import VARIANTS


def check(graph: Graph, neurons: int) -> None:
    certificate = graph.metadata["certificate"]
    assert certificate["neurons"] == neurons
    assert len(certificate["silent"]) <= neurons / 3
    plans = Tally(graph).plans.values()
    assert not [plan.reason for plan in plans if plan.status is Coverage.UNCOUNTED]


NEURONS = (16, 26, 65, 19, 33, 74, 17, 17, 12, 12, 12)


@pytest.mark.parametrize(("name", "neurons"), zip(CASES, NEURONS, strict=True))
def test_a_family_is_traced_and_counted_whole(name: str, neurons: int) -> None:
    check(traced(name, **CASES[name]), neurons)


@pytest.mark.parametrize("mixer", MIXERS)
def test_every_token_mixer_is_traced(mixer: str) -> None:
    stages = ({"embedding": "orig", "mixer": mixer},)
    graph = traced("max_former_cifar", dim=16, heads=4, steps=2, stages=stages)
    check(graph, graph.metadata["certificate"]["neurons"])
    fourier = [node for node in graph if isinstance(node.op, Fourier)]
    assert len(fourier) == (mixer in ("fft1d", "fft2d"))
    assert all(node.domain is Domain.REAL for node in fourier)


@pytest.mark.parametrize("variant", VARIANTS)
def test_temporal_feedback_is_one_delay(variant: str) -> None:
    stages = ({"embedding": "orig", "mixer": "dwc3"},)
    graph = traced("max_former_cifar", dim=32, heads=4, steps=3, stages=stages, stf=variant)
    check(graph, graph.metadata["certificate"]["neurons"])
    assert len([node for node in graph if isinstance(node.op, Delay)]) == 1


def test_feedback_that_grows_the_picture_back_is_refused_by_name() -> None:
    """Where the stem shrinks the frame, a transposed convolution would be needed."""
    from spikeport.core.errors import UnsupportedError

    stages = ({"embedding": "qkformer_stem", "mixer": "identity"},)
    with pytest.raises(UnsupportedError, match=r"patch_embed1\.stf\.loop.*conv_transpose2d"):
        traced("ms_qkformer_10_384", dim=32, heads=4, stages=stages, stf="arch_2")


SIZES = {"embed_dims": 128, "num_classes": 10, "num_heads": 4, "depths": 1, "T": 3}


def spikingjelly(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    if name == "spikformer":
        model = Spikformer(**SIZES, patch_size=4, img_size_h=16, img_size_w=16)
    elif name == "spike-driven":
        model = SpikeDrivenTransformer(**SIZES, pooling_stat="0011")
    else:
        model = QKFormer(T=3, embed_dims=128, num_classes=10, num_heads=(4, 4, 4))
    return model, torch.randn(2, 3, 16, 16)


@pytest.mark.parametrize("name", ["spikformer", "spike-driven"])
def test_spikingjellys_models_with_feedback_are_traced(name: str) -> None:
    model, x = spikingjelly(name)
    graph = trace(lively(add_stf(model, "arch_4", image_size=(16, 16))), x)
    assert len([node for node in graph if isinstance(node.op, Delay)]) == 1
    check(graph, graph.metadata["certificate"]["neurons"])
