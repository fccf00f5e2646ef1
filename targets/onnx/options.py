"""What can be chosen about the files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spikeport.targets.options import TargetOptions


class OnnxOptions(TargetOptions):
    """Options of `lower`.

    Args:
        steps: T of the unrolled graph; that of the sample that was traced if not given.
        dtype: `float64` for proofs: convolutions and average pools are then written as sums and
            matrix products, since onnxruntime has no such kernels for CPUs.
        streaming: also write the step graph.
        class_names: in the order of the output, for the metadata.
        preprocessing: what the input holds, in words, for the metadata.
    """

    steps: int | None = Field(default=None, ge=1)
    dtype: Literal["float32", "float64"] = "float32"
    streaming: bool = True
    class_names: tuple[str, ...] = ()
    preprocessing: str = ""
