"""Copies of the user's model; the model itself is never changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from spikingjelly.activation_based import base
from torch import Tensor, nn


def copy_model(model: nn.Module, replace: Mapping[nn.Module, nn.Module] | None = None) -> nn.Module:
    """A deep copy in eval mode, some modules replaced on the way.

    State that a neuron still holds from an earlier forward may hang on an autograd graph, which
    cannot be copied: it is copied without its graph.
    """
    memo: dict[int, object] = {id(old): new for old, new in (replace or {}).items()}
    for module in model.modules():
        if isinstance(module, base.MemoryModule):
            for value in vars(module).get("_memories", {}).values():
                if isinstance(value, Tensor) and not value.is_leaf:
                    memo[id(value)] = value.detach().clone()
    return copy.deepcopy(model, memo).eval()
