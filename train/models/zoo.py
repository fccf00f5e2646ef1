"""Models by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry
from spikeport.train.models.max_former import MaxFormer
from spikeport.train.models.options import MaxFormerOptions


@dataclass(frozen=True)
class ModelEntry:
    """One model of the zoo.

    Attributes:
        description: one line for lists.
        steps: number of time steps T it is meant for; any other works too.
        defaults: its options where they differ from those of `MaxFormerOptions`.
    """

    description: str
    steps: int
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.options().input_shape

    def options(self, **overrides: Any) -> MaxFormerOptions:
        """The options of this model with some of them replaced.

        Raises:
            UsageError: an option is unknown or out of range.
        """
        try:
            return MaxFormerOptions(**{**self.defaults, **overrides})
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(
                f"{first['msg']}.",
                where=f"model option {'.'.join(map(str, first['loc'])) or 'values'}",
                fix=f"Options: {', '.join(MaxFormerOptions.model_fields)}.",
            ) from error


MODELS: Registry[ModelEntry] = Registry("model")

MODELS.add(
    "max_former_event",
    ModelEntry("Max-Former for event cameras, 128 x 128, 1.46 M parameters", steps=16),
)
MODELS.add(
    "max_former_digits",
    ModelEntry(
        "Max-Former for moving digits, 32 x 32, 93 k parameters, trained weights included",
        steps=4,
        defaults={"dim": 64, "heads": 4, "image_size": (32, 32)},
    ),
)


def create_model(name: str, **options: Any) -> MaxFormer:
    """Build a model with fresh weights, in training mode.

    Args:
        name: a key of `MODELS`.
        options: fields of `MaxFormerOptions` to change.

    Raises:
        UnknownNameError: no model has this name.
        UsageError: an option is unknown or out of range.
    """
    return MaxFormer(MODELS[name].options(**options))
