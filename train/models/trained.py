"""Small models for event digits, which come with trained weights (`train/weights`)."""

from __future__ import annotations

from typing import Any

from spikeport.train.models.catalogue import (
    EVENT_QKFORMER,
    FORMER,
    RESNET,
    SPIKFORMER,
    add,
    stages,
)

# Event digits are 4 frames of 2 x 32 x 32 counts.
_STEPS = 4
_SIZE: dict[str, Any] = {"image_size": (32, 32)}
_FORMER: dict[str, Any] = {**_SIZE, "dim": 64, "heads": 4}


def _describe(what: str, thousands: int) -> str:
    return f"{what} for moving digits, 32 x 32, {thousands} k parameters"


add("max_former_digits", _describe("Max-Former", 93), FORMER, _STEPS, **_FORMER)
add(
    "ms_qkformer_digits",
    _describe("MS-QKFormer", 96),
    FORMER,
    _STEPS,
    stages=EVENT_QKFORMER,
    **_FORMER,
)
add(
    "max_former_digits_ssa_dwc",
    _describe("Max-Former with SSA + DWC3 in both stages", 98),
    FORMER,
    _STEPS,
    stages=stages(("max_plus", "ssa_dwc3", 1), ("max", "ssa_dwc3", 1)),
    **_FORMER,
)
# The position embedding needs 16 channels in front of the first neurons. Embed-Max+ has them at the
# full size of the frames, which would make training five times as long; this one at half of it.
add(
    "max_former_digits_stf",
    _describe("Max-Former with STF (arch_4) and the first embedding of ImageNet", 120),
    FORMER,
    _STEPS,
    stages=stages(("orig_imagenet", "dwc3", 1), ("max", "ssa", 1)),
    stf="arch_4",
    **_FORMER,
)
for _kind, _max_pool in (("max", True), ("ms", False)):
    add(
        f"{_kind}_resnet_digits",
        _describe(f"{'Max' if _max_pool else 'MS'}-ResNet [1, 1, 1, 1]", 72),
        RESNET,
        _STEPS,
        in_channels=2,
        stem=4,
        blocks=(1, 1, 1, 1),
        widths=(4, 8, 32, 64),
        max_pool=_max_pool,
        steps=None,
        **_SIZE,
    )
add(
    "spikformer_digits",
    _describe("Spikformer-2-64, event version,", 164),
    SPIKFORMER,
    _STEPS,
    version="event",
    in_channels=2,
    num_classes=10,
    dim=64,
    depth=2,
    heads=4,
    steps=None,
    **_SIZE,
)
