"""One lowering per kind of op."""

from spikeport.targets.onnx.lowerings import (
    affine,
    arithmetic,
    conv,
    equations,
    fourier,
    moves,
    neurons,
    pools,
    time,
)
from spikeport.targets.onnx.lowerings.base import LOWERINGS, Lowering

__all__ = [
    "LOWERINGS",
    "Lowering",
    "affine",
    "arithmetic",
    "conv",
    "equations",
    "fourier",
    "moves",
    "neurons",
    "pools",
    "time",
]
