"""Copies of the user's model; the model itself is never changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from spikeport.core.errors import UnsupportedError


def copy_model(model: nn.Module, replace: Mapping[nn.Module, nn.Module] | None = None) -> nn.Module:
    """A deep copy in eval mode on the CPU, some modules replaced on the way.

    State that a module still holds from an earlier forward may hang on an autograd graph, which
    cannot be copied: it is copied without its graph.

    Raises:
        UnsupportedError: the model holds something that cannot be copied.
    """
    memo: dict[int, object] = {id(old): new for old, new in (replace or {}).items()}
    for module in model.modules():
        held = {**vars(module), **vars(module).get("_memories", {})}
        for value in held.values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    try:
        return copy.deepcopy(model, memo).eval().cpu()
    except Exception as error:
        raise UnsupportedError(
            f"the model cannot be copied: {type(error).__name__}: {error}",
            where=type(model).__name__,
            fix="Remove attributes that cannot be copied (locks, open files, parametrisations).",
        ) from error
