"""Parity: onnxruntime against the interpreter, spike by spike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import CheckFailed
from spikeport.targets.lowered import run_executor
from spikeport.targets.onnx.lowered import OnnxLowered


@dataclass(frozen=True)
class OnnxParity:
    """How far two runs on the same frames agree.

    In float32 one membrane that rounds to the other side of its threshold moves all that follows
    from it: what follows is not wrong, but another trajectory. Outputs are therefore compared for
    samples without a flip.

    Attributes:
        backend, dtype: what was run beside the interpreter, both in this type.
        spikes: number of 0/1 values compared.
        fired: how many of them are 1 in the interpreter.
        flips: by neuron node, how many differ; layers without are left out.
        flipped_samples: number of samples with a flip, of `samples`.
        output_difference: largest difference of the outputs of samples without a flip, None if
            all have one.
    """

    backend: str
    dtype: str
    spikes: int
    fired: int
    flips: dict[str, int]
    samples: int
    flipped_samples: int
    output_difference: float | None

    @property
    def flipped(self) -> int:
        """Over all layers."""
        return sum(self.flips.values())

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def require(self, tolerance: float) -> None:
        """Do nothing if no spike differs and the outputs agree.

        Raises:
            CheckFailed: a spike differs, or an output by more than `tolerance`.
        """
        difference = self.output_difference
        if self.flips:
            layer, count = next(iter(self.flips.items()))
            raise CheckFailed(
                f"{self.flipped} of {self.spikes} spikes differ between {self.backend} and the "
                f"interpreter in {self.dtype}, {count} of them in the first such layer.",
                where=layer,
                fix="Compare in float64, where no membrane is that close to its threshold.",
            )
        if difference is None or not difference <= tolerance:
            raise CheckFailed(
                f"outputs differ by {difference} between {self.backend} and the interpreter.",
                where="output",
                fix="Please report this graph.",
            )


def compare(lowered: OnnxLowered, frames: Tensor, *, backend: str | None = None) -> OnnxParity:
    """Run frames in onnxruntime and in the interpreter, and compare every spike.

    Args:
        frames: `[T, B, *shape]`, or images `[B, *shape]`.
        backend: one of `lowered.backends`.
    """
    dtype = torch.float64 if lowered.report.dtype == "float64" else torch.float32
    want = run_executor(Interpreter(lowered.graph, dtype), frames, "interpreter", spikes=True)
    got = lowered.run(frames, backend=backend, spikes=True)
    samples = frames.shape[1 if lowered.graph.input.per_step else 0]
    flips: dict[str, int] = {}
    touched = torch.zeros(samples, dtype=torch.bool)
    for name, expected in want.spikes.items():
        differs = expected ^ got.spikes[name]
        if bool(differs.any()):
            flips[name] = int(differs.sum())
            touched |= differs.transpose(0, 1).flatten(1).any(1)
    per_step = lowered.graph[lowered.graph.outputs[0]].per_step
    gaps = (got.outputs - want.outputs).abs()
    gaps = (gaps.transpose(0, 1) if per_step else gaps).reshape(samples, -1)[~touched]
    return OnnxParity(
        backend=got.backend,
        dtype=lowered.report.dtype,
        spikes=sum(value.numel() for value in want.spikes.values()),
        fired=sum(int(value.sum()) for value in want.spikes.values()),
        flips=flips,
        samples=samples,
        flipped_samples=int(touched.sum()),
        output_difference=float(gaps.max()) if gaps.numel() else None,
    )
