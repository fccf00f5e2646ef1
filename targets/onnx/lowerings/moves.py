"""Ops that move values unchanged."""

from __future__ import annotations

from spikeport.convert.ops import Concat, Permute, Reshape, Slice, Tile, ZeroPad
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import stateless


@stateless(Reshape)
def reshape(at: Place, op: Reshape, x: str) -> str:
    return at.reshaped(x, *op.shape)


@stateless(Permute)
def permute(at: Place, op: Permute, x: str) -> str:
    return at.op("Transpose", x, perm=[0, *(axis + 1 for axis in op.order)])


@stateless(Slice)
def part(at: Place, op: Slice, x: str) -> str:
    return at.op(
        "Slice",
        x,
        at.integers(op.start),
        at.integers(op.stop),
        at.integers(op.axis + 1),
        at.integers(op.step),
    )


@stateless(Concat)
def concat(at: Place, op: Concat, *inputs: str) -> str:
    return at.op("Concat", *inputs, axis=op.axis + 1)


@stateless(Tile)
def tile(at: Place, op: Tile, x: str) -> str:
    return at.op("Tile", x, at.integers(1, *op.repeats))


@stateless(ZeroPad)
def zero_pad(at: Place, op: ZeroPad, x: str) -> str:
    return at.op("Pad", x, at.integers(0, *op.before, 0, *op.after), at.scalar(0.0))
