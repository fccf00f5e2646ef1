"""Layers with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from spikeport.convert.ops import Conv, Linear
from spikeport.targets.reference.kernels.base import Extent, Kernel, Place, implements
from spikeport.targets.reference.kernels.onednn import PackedConv, PackedLinear, works
from spikeport.targets.reference.setting import Setting


class ChannelsLast:
    """A convolution over channels that lie side by side. One spatial axis is two, one of them 1."""

    def __init__(self, place: Place, setting: Setting, op: Conv) -> None:
        self.overwrites, self.fresh = (1,), True  # of a value that is added to its result
        self._dtype = setting.dtype_of(place.stepped)
        self._one = len(op.kernel) == 1
        self._packed: PackedConv | None = None
        self._op: Conv | None = None
        if setting.device.type == "cpu" and works(self._dtype):
            self.name, self._packed = "oneDNN, packed weights", PackedConv(op, self._dtype)
            return
        self.name = "torch, channels last"
        cast = op.cast(self._dtype, setting.device)
        if not self._one:
            cast = _in_channels_last(cast)
        self._op = cast

    @property
    def adds(self) -> bool:
        """Whether it adds another value to its result at no cost."""
        return self._packed is not None and not self._one

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        x = inputs[0].to(self._dtype)
        x = x.unsqueeze(2) if self._one else x
        x = x.contiguous(memory_format=torch.channels_last)
        if self._packed is None:
            assert self._op is not None
            return self._op.apply(x.squeeze(2) if self._one else x)
        if len(inputs) == 1:
            y = self._packed(x)
            return y.squeeze(2) if self._one else y
        other = inputs[1].to(self._dtype).contiguous(memory_format=torch.channels_last)
        return self._packed(x, other, spare == 1 or other is not inputs[1])


def _in_channels_last(op: Conv) -> Conv:
    return replace(op, weight=op.weight.contiguous(memory_format=torch.channels_last))


@implements(Conv)
def convolution(place: Place, setting: Setting) -> Kernel | None:
    op = place.node.op
    if not isinstance(op, Conv) or setting.layout != "channels_last":
        return None
    return ChannelsLast(place, setting, op)


class Product:
    """A linear layer with packed weights."""

    def __init__(self, op: Linear, dtype: torch.dtype) -> None:
        self.name, self.overwrites, self.fresh = "oneDNN, packed weights", (), True
        self._dtype, self._packed = dtype, PackedLinear(op.weight, op.bias, dtype)

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        return self._packed(inputs[0].to(self._dtype))


@implements(Linear)
def product(place: Place, setting: Setting) -> Kernel | None:
    op, dtype = place.node.op, setting.dtype_of(place.stepped)
    served = setting.device.type == "cpu" and setting.layout == "channels_last" and works(dtype)
    return Product(op, dtype) if isinstance(op, Linear) and served else None
