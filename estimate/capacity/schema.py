"""What a chip file holds. No limit without value, unit, source and status."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from spikeport.estimate.energy.schema import Static
from spikeport.estimate.figures import Constant, Limit, Sourced, Strict

Resource = Literal["neurons", "synaptic_memory", "synapses", "input_axons", "output_axons"]
"""What a core has a limited number of (`synaptic_memory` in bytes)."""


class Shares(Strict):
    """Memories of one core that holds one layer.

    Attributes:
        kernel, neuron: entries.
    """

    kernel: int = Field(gt=0)
    neuron: int = Field(gt=0)


class Calibration(Strict):
    """A measured whole: no constant can be read off it, so it is shown and never charged.

    Attributes:
        network: what ran.
        total: energy of one inference.
        dynamic: the part of it that is not static.
    """

    network: str = Field(min_length=1)
    total: Constant
    dynamic: Constant


class Chip(Strict):
    """Limits of a chip.

    Attributes:
        placement: "shared_cores": a core holds neurons of any layers within `per_core`;
            "layer_per_core": each core holds one layer (`memories`, one for each core).
        cores: on one chip.
        usable: of them, where boards keep some for themselves.
        per_core: limits of one core.
        weight_bits: of a stored weight.
        static: power drawn all the time.
        calibration: measured wholes.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str = Field(min_length=1)
    placement: Literal["shared_cores", "layer_per_core"]
    note: str = ""
    cores: Limit
    usable: Limit | None = None
    weight_bits: Limit
    per_core: dict[Resource, Limit] = Field(default_factory=dict)
    memories: tuple[Shares, ...] = ()
    memory_entries: Sourced | None = None
    static: Static | None = None
    calibration: tuple[Calibration, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.placement == "shared_cores":
            if not self.per_core or self.memories:
                raise ValueError("a chip of shared cores needs per_core and has no memories")
        elif len(self.memories) != self.cores.count or self.per_core:
            raise ValueError("a chip of one layer per core needs memories, one for each core")
        elif self.memory_entries is None:
            raise ValueError("memory_entries tells the source of the memories")
        return self

    @property
    def cores_per_chip(self) -> int:
        """Cores that a network can use."""
        return (self.usable or self.cores).count

    @property
    def figures(self) -> dict[str, Sourced]:
        """All figures by name."""
        found: dict[str, Sourced | None] = {"cores": self.cores, "usable": self.usable}
        found["weight bits"] = self.weight_bits
        found |= {str(resource): limit for resource, limit in self.per_core.items()}
        found["memories"] = self.memory_entries
        if self.static is not None:
            found["static power"] = self.static.power
        return {name: each for name, each in found.items() if each is not None}

    @property
    def unverified(self) -> list[str]:
        """Names of the figures that are known only second-hand."""
        return [name for name, each in self.figures.items() if not each.verified]

    def describe(self) -> list[str]:
        """One line per figure: value, unit, meaning, status, whether verified."""
        return [each.describe(name) for name, each in self.figures.items()]

    def records(self) -> list[str]:
        """One line per measured whole, told to be no model."""
        return [
            f"calibration record, not a model: {each.network}: {each.total.value} "
            f"{each.total.unit} per inference, {each.dynamic.value} {each.dynamic.unit} of it "
            f"dynamic ({each.total.status.value}, "
            f"{'verified' if each.total.verified else 'unverified'}; {each.total.source})"
            for each in self.calibration
        ]
