"""SpikingJelly's own models, small: every spike of the graph is the model's, in float64."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from nets import awake, lively
from spikingjelly.activation_based import functional, neuron
from spikingjelly.activation_based.model import (
    maxformer,
    ms_resnet,
    parametric_lif_net,
    qkformer,
    sew_resnet,
    spike_driven_transformer,
    spikformer,
    spiking_resnet,
    spiking_vgg,
)
from torch import nn

from spikeport.convert import Interpreter, trace
from spikeport.convert.ops import Neuron
from spikeport.estimate import Coverage, Tally

LIF = {"spiking_neuron": neuron.LIFNode, "v_threshold": 0.5}
SOFT = {"spiking_neuron": neuron.IFNode, "v_reset": None}
PLIF = {"spiking_neuron": neuron.ParametricLIFNode, "v_threshold": 0.5}
IMAGE, FRAMES = (2, 3, 32, 32), (2, 2, 3, 16, 16)


def multi_step(factory: Callable[..., nn.Module], *given: Any, **options: Any) -> nn.Module:
    net = factory(*given, **options)
    functional.set_step_mode(net, "m")
    return net


def max_former(**options: Any) -> nn.Module:
    return maxformer.MaxFormer(
        T=3, num_classes=10, embed_dims=64, depths=(1, 1, 1), mlp_ratio=2, **options
    )


def qk_former(qka_type: str) -> nn.Module:
    return qkformer.QKFormer(
        T=3,
        num_classes=10,
        embed_dims=64,
        num_heads=(1, 2, 2),
        depths=(1, 1, 1),
        mlp_ratio=2,
        qka_type=qka_type,
    )


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "max-former-cifar": (lambda: max_former(cifar=True), (2, 3, 16, 16)),
    "max-former-imagenet": (max_former, IMAGE),
    "max-former-frames": (max_former, (3, 2, 3, 32, 32)),
    "spikformer": (
        lambda: spikformer.Spikformer(
            T=3,
            img_size_h=16,
            img_size_w=16,
            patch_size=4,
            embed_dims=32,
            num_heads=2,
            depths=1,
            num_classes=10,
        ),
        (2, 3, 16, 16),
    ),
    "qkformer-token": (lambda: qk_former("token"), IMAGE),
    "qkformer-channel": (lambda: qk_former("channel"), IMAGE),
    "spike-driven-transformer": (
        lambda: spike_driven_transformer.SpikeDrivenTransformer(
            T=3, num_classes=10, embed_dims=64, num_heads=2, depths=1, pooling_stat="0011"
        ),
        IMAGE,
    ),
    **{
        f"sew-resnet18-{cnf.lower()}": (
            lambda cnf=cnf: multi_step(sew_resnet.sew_resnet18, cnf=cnf, num_classes=10, **LIF),
            FRAMES,
        )
        for cnf in ("ADD", "AND", "IAND")
    },
    "ms-resnet": (
        lambda: ms_resnet.MSResNet(T=3, num_classes=10, base_channels=8, layers=(1, 1, 1, 1)),
        IMAGE,
    ),
    "max-resnet": (
        lambda: ms_resnet.MaxResNet(
            T=3, num_classes=10, base_channels=8, layers=(1, 1, 1), stem_kernel_size=3
        ),
        IMAGE,
    ),
    "spiking-resnet18": (
        lambda: multi_step(spiking_resnet.spiking_resnet18, num_classes=10, **SOFT),
        FRAMES,
    ),
    "mnist-net": (lambda: multi_step(parametric_lif_net.MNISTNet, 8, **PLIF), (3, 2, 1, 28, 28)),
    "nmnist-net": (lambda: multi_step(parametric_lif_net.NMNISTNet, 8, **PLIF), (3, 2, 2, 34, 34)),
    "cifar10-net": (
        lambda: multi_step(parametric_lif_net.CIFAR10Net, 4, **PLIF),
        (2, 2, 3, 32, 32),
    ),
    "cifar10-dvs-net": (
        lambda: multi_step(parametric_lif_net.CIFAR10DVSNet, 4, **PLIF),
        (2, 2, 2, 128, 128),
    ),
    "gesture-net": (
        lambda: multi_step(parametric_lif_net.DVSGestureNet, 4, **PLIF),
        (2, 2, 2, 128, 128),
    ),
}
BIG: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "spiking-vgg11": (
        lambda: multi_step(spiking_vgg.spiking_vgg11, num_classes=10, **LIF),
        (2, 2, 3, 32, 32),
    ),
    "spiking-vgg11-bn": (
        lambda: multi_step(spiking_vgg.spiking_vgg11_bn, num_classes=10, **LIF),
        (2, 2, 3, 32, 32),
    ),
    "sew-resnet50": (
        lambda: multi_step(sew_resnet.sew_resnet50, cnf="ADD", num_classes=10, **LIF),
        FRAMES,
    ),
    "spiking-resnet50": (
        lambda: multi_step(spiking_resnet.spiking_resnet50, num_classes=10, **LIF),
        FRAMES,
    ),
}


def proven(factory: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(5)) * 2
    model = awake(lively(factory()), x)
    graph = trace(model, x)
    certificate = graph.metadata["certificate"]
    running = [node for node in graph if isinstance(node.op, Neuron)]
    assert certificate["neurons"] == len(running) > 0
    assert certificate["silent"] == certificate["unread"] == []
    assert 0.01 < certificate["fired"] / certificate["spikes"] < 0.9
    tally = Tally(graph)
    uncounted = [n for n, plan in tally.plans.items() if plan.status is Coverage.UNCOUNTED]
    assert uncounted == []


@pytest.mark.parametrize("name", MODELS)
def test_every_spike_is_the_models(name: str) -> None:
    proven(*MODELS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", BIG)
def test_every_spike_is_the_big_models(name: str) -> None:
    proven(*BIG[name])


def test_spikingjellys_qkformer_keeps_samples_apart() -> None:
    """The published QKFormer does not: its last neuron reads [T * B, C, N]; see the fail cases."""
    torch.manual_seed(0)
    x = torch.rand(3, 3, 32, 32) * 2
    model = awake(lively(qk_former("token")), x)
    graph = trace(model, x)
    together = Interpreter(graph, torch.float64).run(x)
    alone = [Interpreter(graph, torch.float64).run(image[None]) for image in x]
    assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-12)
