"""What can be chosen about the files."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spikeport.core.errors import UsageError


class OnnxOptions(BaseModel):
    """Options of `lower`.

    Args:
        steps: T of the unrolled graph; that of the sample that was traced if not given.
        dtype: `float64` for proofs: convolutions and average pools are then written as sums and
            matrix products, since onnxruntime has no such kernels for CPUs.
        streaming: also write the step graph.
        class_names: in the order of the output, for the metadata.
        preprocessing: what the input holds, in words, for the metadata.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int | None = Field(default=None, ge=1)
    dtype: Literal["float32", "float64"] = "float32"
    streaming: bool = True
    class_names: tuple[str, ...] = ()
    preprocessing: str = ""

    @classmethod
    def of(cls, **values: object) -> Self:
        """Like the constructor, with errors in Spikeport's form.

        Raises:
            UsageError: an option is unknown or out of range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(
                f"{first['msg']}.",
                where=f"lowering option {'.'.join(map(str, first['loc'])) or 'values'}",
                fix=f"Options: {', '.join(cls.model_fields)}.",
            ) from error
