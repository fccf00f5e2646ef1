"""STF as a plug-in, for networks of the zoo and of SpikingJelly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from spikingjelly.activation_based.model.qkformer import QKFormer
from spikingjelly.activation_based.model.spike_driven_transformer import SpikeDrivenTransformer
from spikingjelly.activation_based.model.spikformer import Spikformer
from torch import nn

from spikeport.core.checking import checked_options
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.train.models.base import ZooModel
from spikeport.train.models.stf.encoder import Stem, StfEncoder
from spikeport.train.models.stf.feedback import Shape
from spikeport.train.models.stf.options import StfOptions


def add_stf(
    model: nn.Module,
    variant: str = "arch_4",
    *,
    steps: int | None = None,
    image_size: tuple[int, int] | None = None,
    kernel: int = 3,
) -> nn.Module:
    """A copy of `model` with STF around its encoding layer; the model itself stays as it is.

    Weights of the model are kept, so load a checkpoint first; those of STF are fresh. The modules
    of the encoding layer move into an `StfEncoder`, and their names with them.

    Args:
        model: a network of the zoo that has an encoding layer, or SpikingJelly's `Spikformer`,
            `QKFormer` or `SpikeDrivenTransformer`.
        variant: a key of `VARIANTS`.
        steps: T of the position embedding; None for that of the model.
        image_size: height and width of a frame; needed where the model does not know it.
        kernel: 3 or 1, see `StfOptions`.

    Raises:
        UnsupportedError: the network has no encoding layer that is known.
        UsageError: an option is wrong or missing.
    """
    given = {"variant": variant, "steps": steps or _steps(model), "kernel": kernel}
    options = checked_options(StfOptions, given, "STF option")
    changed = copy.deepcopy(model)
    if isinstance(changed, ZooModel):
        changed.add_stf(options)
        return changed
    if type(changed) not in _ENCODINGS:
        known = ", ".join(cls.__name__ for cls in _ENCODINGS)
        raise UnsupportedError(
            "its encoding layer is not known.",
            where=type(model).__name__,
            fix=f"Use a model of the zoo, or SpikingJelly's {known}.",
        )
    _ENCODINGS[type(changed)](changed, options, image_size)
    return changed


def _steps(model: nn.Module) -> int:
    found = model.options.steps if isinstance(model, ZooModel) else getattr(model, "T", None)
    if not isinstance(found, int):
        raise UsageError("the model has no T of its own.", where="STF", fix="Give steps=.")
    return found


def _spikformer(model: Any, options: StfOptions, size: tuple[int, int] | None) -> None:
    first = model.patch_embed.stages[0]
    frame = _frame(first.conv_bn.block[0], size or model.patch_embed.image_size)
    parts = {f"{index}": module for index, module in enumerate(first.conv_bn.block)}
    first.conv_bn = StfEncoder(Stem(**parts), first.neuron, frame, options)
    first.neuron = nn.Identity()


def _qkformer(model: Any, options: StfOptions, size: tuple[int, int] | None) -> None:
    first = model.patch_embed1
    stem = Stem(conv1=first.conv1, bn1=first.bn1, pool1=first.pool1)
    first.conv1 = StfEncoder(stem, first.lif1, _frame(first.conv1, size), options)
    first.bn1, first.pool1, first.lif1 = nn.Identity(), nn.Identity(), nn.Identity()


def _spike_driven(model: Any, options: StfOptions, size: tuple[int, int] | None) -> None:
    first = model.patch_embed.stages[0]
    encoder = StfEncoder(
        Stem(conv=first[0], bn=first[1]), first[2], _frame(first[0], size), options
    )
    first[0], first[1], first[2] = encoder, nn.Identity(), nn.Identity()


def _frame(conv: Any, size: tuple[int, int] | None) -> Shape:
    if size is None:
        raise UsageError(
            "the model does not know the size of its frames.", where="STF", fix="Give image_size=."
        )
    return conv.in_channels, *size


_ENCODINGS: dict[type[nn.Module], Callable[[Any, StfOptions, tuple[int, int] | None], None]] = {
    Spikformer: _spikformer,
    QKFormer: _qkformer,
    SpikeDrivenTransformer: _spike_driven,
}
