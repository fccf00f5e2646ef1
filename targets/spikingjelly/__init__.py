"""The way back: a graph as a network of SpikingJelly's neurons, to train and to edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.targets.spikingjelly.build import to_torch

__all__ = ["to_torch"]

__getattr__ = lazy(__name__, {"to_torch": "build"})
