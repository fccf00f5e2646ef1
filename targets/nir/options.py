"""What can be chosen about the lowering to NIR."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spikeport.core.errors import UsageError
from spikeport.targets.nir.conventions import DT


class NirOptions(BaseModel):
    """Options of `lower`.

    Args:
        dt: seconds per time step. The importers of SpikingJelly and snnTorch assume 1e-4.
        expand_residuals: write a sum that several nodes read as edges from each summand to each of
            them; refused otherwise, since NIR has no sum of its own.
        extensions: write what NIR has no primitive for as nodes of Spikeport's own, which only
            Spikeport reads; `nir.read` fails on such a file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dt: float = Field(default=DT, gt=0, allow_inf_nan=False)
    expand_residuals: bool = False
    extensions: bool = False

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
                where=f"NIR option {'.'.join(map(str, first['loc'])) or 'values'}",
                fix=f"Options: {', '.join(cls.model_fields)}.",
            ) from error
