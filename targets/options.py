"""What the options of all targets have in common."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from spikeport.core.errors import UsageError


class TargetOptions(BaseModel):
    """Options of a target's `lower`: checked, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
