"""The models of the papers, as data."""

from __future__ import annotations

from typing import Any

from spikeport.train.models.former import SpikingFormer
from spikeport.train.models.options import FormerOptions, Stage
from spikeport.train.models.resnet import MembraneResNet, ResNetOptions
from spikeport.train.models.spikformer import Spikformer, SpikformerOptions
from spikeport.train.models.zoo import MODELS, Family, ModelEntry

FORMER = Family(FormerOptions, SpikingFormer)
SPIKFORMER = Family(SpikformerOptions, Spikformer)
RESNET = Family(ResNetOptions, MembraneResNet)

# Of the pixels of the data sets, in 0 .. 1, as the published training programs subtract and divide.
CIFAR: dict[str, Any] = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

CIFAR_FORMER: dict[str, Any] = {
    "in_channels": 3,
    "dim": 384,
    "heads": 8,
    "mlp_ratio": 4.0,
    "image_size": (32, 32),
    "steps": 4,
}


def stages(*rows: tuple[str, str, int]) -> tuple[Stage, ...]:
    """Stages from (embedding, mixer, depth)."""
    return tuple(Stage(embedding=e, mixer=m, depth=depth) for e, m, depth in rows)


CIFAR_MAX_FORMER = stages(("orig", "identity", 1), ("max", "dwc3", 1), ("max", "ssa", 2))
IMAGENET_MAX_FORMER = stages(("orig_imagenet", "dwc7", 1), ("max", "dwc5", 2), ("max", "ssa", 7))
EVENT_QKFORMER = stages(("max_plus", "qk_token", 1), ("1max_full", "ssa", 1))
CIFAR_QKFORMER = stages(
    ("orig", "qk_token", 1), ("1max_full", "qk_token", 1), ("1max_full", "ssa", 2)
)
IMAGENET_QKFORMER = stages(
    ("qkformer_stem", "qk_token", 1),
    ("qkformer_later", "qk_token", 2),
    ("qkformer_later", "ssa", 7),
)


def _imagenet(dim: int, kind: tuple[Stage, ...]) -> dict[str, Any]:
    return {
        "in_channels": 3,
        "num_classes": 1000,
        "dim": dim,
        "heads": dim // 64,
        "mlp_ratio": 4.0,
        "image_size": (224, 224),
        "steps": 4,
        "head": "each_step",
        "stages": kind,
    }


def add(name: str, description: str, family: Family, steps: int, /, **rest: Any) -> None:
    """Register a model; `rest` are its options, and mean and std of its images."""
    images = {key: rest.pop(key) for key in ("mean", "std") if key in rest}
    MODELS.add(name, ModelEntry(description, family, steps, rest, **images))


add("max_former_event", "Max-Former for event cameras, 128 x 128, 1.46 M parameters", FORMER, 16)
add(
    "max_former_cifar",
    "Max-Former-4-384 for CIFAR, 6.57 M parameters",
    FORMER,
    4,
    stages=CIFAR_MAX_FORMER,
    **CIFAR_FORMER,
    **CIFAR,
)
add(
    "ms_qkformer_event",
    "MS-QKFormer for event cameras, 128 x 128, 1.50 M parameters",
    FORMER,
    16,
    stages=EVENT_QKFORMER,
)
add(
    "ms_qkformer_cifar",
    "MS-QKFormer-4-384 for CIFAR, 6.71 M parameters",
    FORMER,
    4,
    stages=CIFAR_QKFORMER,
    **CIFAR_FORMER,
    **CIFAR,
)
for _dim, _max_former, _qkformer in (
    (384, "16.24", "16.47"),
    (512, "28.65", "29.08"),
    (768, "63.99", "64.96"),
):
    add(
        f"max_former_10_{_dim}",
        f"Max-Former-10-{_dim} for ImageNet, {_max_former} M parameters",
        FORMER,
        4,
        **_imagenet(_dim, IMAGENET_MAX_FORMER),
        **IMAGENET,
    )
    add(
        f"ms_qkformer_10_{_dim}",
        f"MS-QKFormer-10-{_dim} for ImageNet, {_qkformer} M parameters",
        FORMER,
        4,
        **_imagenet(_dim, IMAGENET_QKFORMER),
        **IMAGENET,
    )

for _name, _what, _blocks, _widths in (
    ("resnet18", "ResNet-18 [3, 3, 2]", (3, 3, 2), (128, 256, 512)),
    ("resnet18_2222", "ResNet-18 [2, 2, 2, 2]", (2, 2, 2, 2), (64, 128, 256, 512)),
    ("resnet34", "ResNet-34 [3, 4, 6, 3]", (3, 4, 6, 3), (64, 128, 256, 512)),
):
    for _kind, _max_pool in (("max", True), ("ms", False)):
        add(
            f"{_kind}_{_name}",
            f"{'Max' if _max_pool else 'MS'}-{_what} for CIFAR",
            RESNET,
            4,
            blocks=_blocks,
            widths=_widths,
            max_pool=_max_pool,
            **CIFAR,
        )

for _depth, _dim in ((4, 256), (2, 384), (4, 384)):
    add(
        f"spikformer_cifar_{_depth}_{_dim}",
        f"Spikformer-{_depth}-{_dim} for CIFAR",
        SPIKFORMER,
        4,
        version="cifar",
        num_classes=10,
        dim=_dim,
        depth=_depth,
        heads=_dim // 32,
        image_size=(32, 32),
        **CIFAR,
    )
add(
    "spikformer_event",
    "Spikformer-2-256 for event cameras, 128 x 128, 2.59 M parameters",
    SPIKFORMER,
    16,
    version="event",
    in_channels=2,
    num_classes=10,
    dim=256,
    depth=2,
    heads=16,
    image_size=(128, 128),
    steps=None,
)
for _depth, _dim in ((8, 384), (6, 512), (8, 512), (10, 512), (8, 768)):
    add(
        f"spikformer_{_depth}_{_dim}",
        f"Spikformer-{_depth}-{_dim} for ImageNet",
        SPIKFORMER,
        4,
        version="imagenet",
        dim=_dim,
        depth=_depth,
        # Published for width 512 only (8 heads); the others keep its 64 channels for each.
        heads=_dim // 64,
        **IMAGENET,
    )
