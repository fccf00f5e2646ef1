"""What crosses time steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import AddPerStep, Delay, OverTime
from spikeport.core.errors import UsageError
from spikeport.targets.reference.kernels.base import (
    Extent,
    Kernel,
    Place,
    by_steps,
    implements,
    spread,
)
from spikeport.targets.reference.setting import Setting


class Reduced:
    """Mean or sum over time; in float32 at least."""

    def __init__(self, place: Place, setting: Setting) -> None:
        self.name, self.overwrites, self.fresh = "torch", (), True
        self._place, self._real = place, setting.real
        self._op = place.node.op

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        x = inputs[0].to(self._real)
        values = by_steps(x, extent) if self._place.inputs_stepped[0] else spread(x, extent)
        result: Tensor = self._op.over(values)  # type: ignore[attr-defined]
        return result


@implements(OverTime)
def reduced(place: Place, setting: Setting) -> Kernel:
    return Reduced(place, setting)


class Embedding:
    """A constant of its own for each step."""

    def __init__(self, place: Place, setting: Setting, op: AddPerStep) -> None:
        self.name, self.overwrites, self.fresh = "torch", (), True
        self._node, self._dtype = place.node, setting.dtype
        self._stepped = place.inputs_stepped[0]
        self._value = op.value.to(device=setting.device, dtype=setting.dtype).unsqueeze(1)

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        check_steps(self._node, len(self._value), extent.steps)
        x = inputs[0].to(self._dtype)
        return ((by_steps(x, extent) if self._stepped else x) + self._value).flatten(0, 1)


def check_steps(node: Node, known: int, steps: int) -> None:
    """Refuse a number of steps that a temporal embedding was not made for."""
    if steps != known:
        raise UsageError(
            f"{steps} time steps were given; its constants are for {known}.",
            where=node.path or node.name,
            fix="Frame the data into that many steps.",
        )


@implements(AddPerStep)
def embedding(place: Place, setting: Setting) -> Kernel | None:
    op = place.node.op
    return Embedding(place, setting, op) if isinstance(op, AddPerStep) else None


class Shifted:
    """What another node emitted one step earlier; outside of loops its source is complete."""

    def __init__(self) -> None:
        self.name, self.overwrites, self.fresh = "torch", (), True

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        shown, batch = inputs[0], extent.batch
        return torch.cat([torch.zeros_like(shown[:batch]), shown[: len(shown) - batch]])


@implements(Delay)
def shifted(place: Place, setting: Setting) -> Kernel:
    return Shifted()
