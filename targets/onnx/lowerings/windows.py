"""Sliding windows as one strided slice per place in the window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from spikeport.convert.graph import Node
from spikeport.targets.onnx.emitter import Place


@dataclass(frozen=True)
class Windows:
    """Windows over the spatial axes of `[N, C, *space]`, zeros around it."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def places(self, node: Node) -> int:
        """The number of windows of a node whose output is `[C, *space]`."""
        return math.prod(node.shape[1:])

    def taps(self, at: Place, x: str) -> Iterator[str]:
        """What each place in the window sees, `[N, C, *output]`, the last axis running fastest."""
        if any(self.padding):
            margin = (0, 0, *self.padding)
            x = at.op("Pad", x, at.integers(*margin, *margin), at.scalar(0.0))
        axes = at.integers(*range(2, 2 + len(self.kernel)))
        for offset in itertools.product(*map(range, self.kernel)):
            starts = [o * d for o, d in zip(offset, self.dilation, strict=True)]
            ends = [
                start + (count - 1) * stride + 1
                for start, count, stride in zip(starts, at.node.shape[1:], self.stride, strict=True)
            ]
            yield at.op(
                "Slice", x, at.integers(*starts), at.integers(*ends), axes,
                at.integers(*self.stride),
            )  # fmt: skip
