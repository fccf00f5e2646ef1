"""Token mixers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from torch import nn

from spikeport.core.registry import Registry


@dataclass(frozen=True)
class MixerEntry:
    """How a block makes its token mixer.

    Attributes:
        make: from the width C and the number of heads.
        slot: name of the mixer inside its block, and so in the weights.
    """

    make: Callable[[int, int], nn.Module]
    slot: str


MIXERS: Registry[MixerEntry] = Registry("token mixer")

M = TypeVar("M", bound=Callable[[int, int], nn.Module])


def mixer(name: str, slot: str = "mixer") -> Callable[[M], M]:
    """Decorator that registers a mixer made from (width, heads)."""

    def register(make: M) -> M:
        MIXERS.add(name, MixerEntry(make, slot))
        return make

    return register
