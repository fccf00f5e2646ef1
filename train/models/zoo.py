"""Models by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from spikeport.core.checking import checked_options
from spikeport.core.registry import Registry
from spikeport.train.models.base import Options, ZooModel


@dataclass(frozen=True)
class Family:
    """Models that differ in their options only.

    Attributes:
        options: pydantic model of the options.
        build: makes the network from them, with fresh weights.
    """

    options: type[BaseModel]
    build: Callable[[Any], ZooModel]


@dataclass(frozen=True)
class ModelEntry:
    """One model of the zoo.

    Attributes:
        description: one line for lists.
        family: the network that the options belong to.
        steps: number of time steps T it is meant for; models of frame sequences take any other too.
        defaults: its options where they differ from those of the family.
        mean, std: of each channel of the images it was published for, subtracted and divided by;
            empty for event frames, which are counts.
        published: (table, top-1 accuracy in %) of the paper, where the model is a row of one.
        assumed: whether how it reads its input is not told by the paper.
    """

    description: str
    family: Family
    steps: int
    defaults: dict[str, Any] = field(default_factory=dict)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    published: tuple[tuple[str, float], ...] = ()
    assumed: bool = False

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.options().input_shape

    @property
    def num_classes(self) -> int:
        """Width of the output."""
        return self.options().num_classes

    @property
    def static(self) -> bool:
        """Whether it reads images `[B, C, H, W]`; else frames `[B, T, C, H, W]`."""
        return self.options().steps is not None

    def options(self, **overrides: Any) -> Options:
        """The options of this model with some of them replaced.

        Raises:
            UsageError: an option is unknown or out of range.
        """
        given = {**self.defaults, **overrides}
        made: Any = checked_options(self.family.options, given, "model option")
        options: Options = made
        return options


MODELS: Registry[ModelEntry] = Registry("model")


def create_model(name: str, **options: Any) -> ZooModel:
    """Build a model with fresh weights, in training mode.

    Args:
        name: a key of `MODELS`.
        options: options of its family to change (`FormerOptions`, `SpikformerOptions`,
            `ResNetOptions`).

    Raises:
        UnknownNameError: no model has this name.
        UsageError: an option is unknown or out of range.
    """
    entry = MODELS[name]
    return entry.family.build(entry.options(**options))
