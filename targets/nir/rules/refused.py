"""Ops that NIR has no primitive for, and what to do about each."""

from __future__ import annotations

from spikeport.convert.ops import (
    AdaptiveAvgPool,
    AddConstant,
    AddPerStep,
    BatchNorm,
    Complement,
    Concat,
    Fourier,
    MatMul,
    Mean,
    Multiply,
    Op,
    Permute,
    Slice,
    Subtract,
    Sum,
    Tile,
    ZeroPad,
)
from spikeport.targets.nir.rules.base import RULES, Refusal

_REFUSED: dict[tuple[type[Op], ...], tuple[str, str]] = {
    (BatchNorm,): (
        "this batch norm cannot be folded: it does not follow a convolution or linear layer that "
        "only it reads; NIR has none.",
        "Place it right after such a layer.",
    ),
    (MatMul,): (
        "NIR has no product of two activations.",
        "Use a mixer without one: convolutions instead of attention.",
    ),
    (Multiply, Complement): (
        "NIR has no product of two activations, so no mask.",
        "Add instead of masking.",
    ),
    (Mean, Sum): (
        "NIR has no mean and no sum over axes.",
        "Average-pool over the whole image, AvgPool2d(size), and flatten.",
    ),
    (AdaptiveAvgPool,): (
        "NIR's average pool takes a kernel and a stride, and rounds in another way than adaptive "
        "pooling.",
        "Use AvgPool2d with the sizes written out.",
    ),
    (AddConstant, AddPerStep): (
        "NIR adds constants in layers with weights only.",
        "Put it into the bias of the layer before.",
    ),
    (Subtract,): (
        "edges of NIR add, and none subtracts.",
        "Multiply by -1 in the weights of the layer before, and add.",
    ),
    (Permute, Slice, Concat, Tile, ZeroPad): (
        "NIR moves values by merging axes only.",
        "Keep the order and number of values between layers.",
    ),
    (Fourier,): ("NIR has no Fourier transform.", "Use a convolution as mixer."),
}

for _ops, (_why, _fix) in _REFUSED.items():
    for _op in _ops:
        RULES.add(
            _op.kind, type(f"{_op.__name__}Refusal", (Refusal,), {"why": _why, "fix": _fix})()
        )
