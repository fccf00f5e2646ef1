"""What the options of all targets have in common."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from spikeport.core.checking import checked_options


class TargetOptions(BaseModel):
    """Options of a target's `lower`: checked, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, **values: object) -> Self:
        """Like the constructor, with errors in Spikeport's form.

        Raises:
            UsageError: an option is unknown or out of range.
        """
        return checked_options(cls, values, "lowering option")
