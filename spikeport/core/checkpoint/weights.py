"""The state dict in a checkpoint, under whatever key its writer put it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikeport.core.checkpoint.opening import open_content
from spikeport.core.checkpoint.refusals import no_state_dict
from spikeport.core.errors import FileError
from spikeport.core.training_state import STATE_KEY

_PLAIN = ("state_dict", "model", "net", "model_state_dict", "network", "module", "weights")
_EMA = ("state_dict_ema", "model_ema", "ema", "ema_state_dict", "model_ema_state_dict", "average")


@dataclass(frozen=True)
class Weights:
    """A state dict as it stands in a file.

    The tensors are windows on the file: copy what must outlast it or a change of it.

    Attributes:
        path: the file.
        tensors: by the file's names, in the file's order.
        container: the file format in words.
        key: where in the file they were ("state_dict", "model.state_dict"); empty if the file is
            the state dict itself.
        beside: what else stands there and is not read ("optimizer", "epoch").
        ordered: whether the order is that of the model that was saved.
        metadata: text that travels with the tensors (safetensors only).
    """

    path: Path
    tensors: Mapping[str, Tensor]
    container: str
    key: str = ""
    beside: tuple[str, ...] = ()
    ordered: bool = True
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_weights(
    path: str | os.PathLike[str], *, ema: bool = False, key: str | None = None
) -> Weights:
    """Read the state dict in a checkpoint file; runs no code from it.

    Args:
        ema: read the running mean of the weights that timm, SpikingJelly and `fit` store beside
            them, instead of the weights.
        key: where the state dict stands, if the usual names do not tell.

    Raises:
        FileError: missing, unreadable, truncated, foreign, unsafe, without the weights asked for,
            or with several that could be meant.
    """
    target = Path(path)
    content = open_content(target)
    value = content.value
    if STATE_KEY in content.metadata:  # three sets of tensors told by prefixes
        value = _by_first_name(value)
    if not isinstance(value, dict) or not value:
        raise no_state_dict(target, f"this checkpoint holds a {type(value).__name__}")
    keys: list[str] = []
    beside: list[str] = []
    wanted_ema, wanted_key = ema, key
    while (step := _next_key(value, target, wanted_ema, wanted_key)) is not None:
        beside += [".".join([*keys, str(name)]) for name in value if name != step]
        keys.append(step)
        value = value[step]
        wanted_ema, wanted_key = False, None  # what stands within is what was asked for
    return Weights(
        target,
        _tensors(value, target),
        content.container,
        ".".join(keys),
        tuple(beside),
        content.ordered,
        content.metadata,
    )


def _by_first_name(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        first, _, rest = name.partition(".")
        parts.setdefault(first, {})[rest] = value
    return parts


def _next_key(value: Mapping[Any, Any], path: Path, ema: bool, wanted: str | None) -> str | None:
    """The key to go down by; None where `value` is the state dict itself."""
    if wanted is not None:
        if not isinstance(value.get(wanted), dict):
            raise no_state_dict(path, f"it holds nothing under {wanted!r} ({_holds(value)})")
        return wanted
    plain, means = (
        [name for name in names if isinstance(value.get(name), dict)] for names in (_PLAIN, _EMA)
    )
    found = means if ema else plain
    if ema and not means:
        raise FileError(
            f"this checkpoint holds no running mean (EMA) of the weights ({_holds(value)}).",
            where=str(path),
            fix="Load its plain weights with ema=False, or name the place with key=.",
        )
    if means and not found:
        raise FileError(
            f"this checkpoint holds only a running mean (EMA) of the weights ({_holds(value)}).",
            where=str(path),
            fix="Ask for it with ema=True.",
        )
    if len(found) > 1:
        raise FileError(
            f"this checkpoint holds several sets of weights: {', '.join(found)}.",
            where=str(path),
            fix=f"Name the one you mean: key={found[0]!r}.",
        )
    return found[0] if found else None


def _holds(value: Mapping[Any, Any]) -> str:
    names = [str(name) for name in value]
    return f"it holds {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"


def _tensors(value: Any, path: Path) -> dict[str, Tensor]:
    if not value:
        raise no_state_dict(path, "this checkpoint holds an empty dictionary")
    for name, entry in value.items():
        if not isinstance(name, str) or not isinstance(entry, Tensor):
            raise no_state_dict(path, f"its entry {name!r} is not a tensor")
        if entry.layout is not torch.strided or entry.is_quantized:
            raise no_state_dict(path, f"its entry {name!r} is sparse or quantised")
    return {name: entry.detach() for name, entry in value.items()}
