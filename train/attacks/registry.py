"""Which attacks there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from spikeport.core.registry import Registry
from spikeport.train.attacks.spaces import Victim

Craft = Callable[[Victim, Tensor, Tensor, Sequence[int], Sequence[float], int], Iterator[Tensor]]
"""(victim, inputs `[B, ...]`, labels `[B]`, indices of the samples, ascending levels, seed) -> what
to show instead, one tensor like the inputs for each level."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        description: one line for lists.
        unit: of a level.
        levels: those that are published for spiking transformers.
        whole: whether levels are whole numbers.
        craft: makes the inputs.
    """

    description: str
    unit: str
    levels: tuple[float, ...]
    craft: Craft
    whole: bool = False


ATTACKS: Registry[Attack] = Registry("attack")


def attack(
    name: str, description: str, unit: str, levels: tuple[float, ...], *, whole: bool = False
) -> Callable[[Craft], Craft]:
    """Register the decorated function as the `craft` of an attack."""

    def add(craft: Craft) -> Craft:
        ATTACKS.add(name, Attack(description, unit, levels, craft, whole))
        return craft

    return add
