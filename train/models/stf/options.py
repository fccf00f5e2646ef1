"""Variants of STF, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

Place = Literal["input", "currents"]


@dataclass(frozen=True)
class Variant:
    """Where the two parts of STF act.

    Attributes:
        embedding: what the temporal-spatial position embedding (TSPE) is added to; None without.
        feedback: what the temporal feedback (TF) is added to: the "input" frame, or the "currents"
            in front of the first neurons.
    """

    embedding: Place | None
    feedback: Place


# Named as in the first author's programs. Input-side feedback makes the first convolution read
# real numbers anew at every step.
VARIANTS: dict[str, Variant] = {
    "arch_1": Variant("currents", "input"),
    "arch_2": Variant("input", "input"),
    "arch_3": Variant("input", "currents"),
    "arch_4": Variant("currents", "currents"),
    "arch_5": Variant(None, "currents"),
    "stf_1": Variant(None, "input"),
    "stf_2": Variant(None, "currents"),
}


class StfOptions(BaseModel):
    """How STF is added to a network.

    Args:
        variant: a key of `VARIANTS`.
        steps: time steps T that the position embedding is made for; variants without one run with
            any T.
        kernel: 3 for a 3 x 3 convolution of the fed-back spikes, 1 for a position-wise one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: str = "arch_4"
    steps: int = Field(default=4, ge=1)
    kernel: Literal[1, 3] = 3

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.variant not in VARIANTS:
            raise ValueError(f"no variant {self.variant}; known: {', '.join(VARIANTS)}")
        return self

    @property
    def places(self) -> Variant:
        """Where its parts act."""
        return VARIANTS[self.variant]


def stf_by_name(value: object, info: ValidationInfo) -> object:
    """Validator of a model's `stf` option: the name of a variant stands for it at the model's T."""
    if not isinstance(value, str):
        return value
    steps = info.data.get("steps")
    return {"variant": value} if steps is None else {"variant": value, "steps": steps}
