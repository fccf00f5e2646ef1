"""Models for Lava's convolution other than ours: by name, and what they cannot hold."""

from __future__ import annotations

import importlib
import math
from typing import Any, cast

import numpy as np

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear
from spikeport.core.errors import UsageError
from spikeport.targets.lava.region import on_lava


def name_of(model: type[Any] | None) -> str:
    """What `model_named` finds it by in another interpreter; "" for our own model."""
    return "" if model is None else f"{model.__module__}:{model.__qualname__}"


def model_named(name: str) -> type[Any] | None:
    """The inverse of `name_of`."""
    module, _, qualified = name.partition(":")
    if not name:
        return None
    found: Any = importlib.import_module(module)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def check_sizes(graph: Graph, model: type[Any] | None) -> None:
    """Do nothing if this model can hold the sizes of all convolutions of the graph.

    Lava's own keeps sizes in int8: from 128 on it overflows under numpy 2, and was silently wrong
    under numpy 1.

    Raises:
        UsageError: it cannot; names the first.
    """
    if model is None:
        return
    kept_in = getattr(getattr(model, "kernel_size", None), "d_type", np.int32)
    largest = int(np.iinfo(kept_in).max)
    region = on_lava(graph)
    for node in graph:
        if node.name not in region or not isinstance(node.op, Conv | Linear):
            continue
        for what, size in _sizes(graph, node).items():
            if size > largest:
                raise UsageError(
                    f"it has {size} {what}; {model.__name__} keeps sizes in "
                    f"{np.dtype(kept_in).name}, up to {largest}.",
                    where=node.path or node.name,
                    fix="Leave conv_model out: the model of Spikeport takes any size, bit by bit "
                    "equal.",
                )


def _sizes(graph: Graph, node: Node) -> dict[str, int]:
    """Of the convolution that this node becomes."""
    shape = graph[node.inputs[0]].shape
    if isinstance(node.op, Conv):
        channels, pixels, groups = shape[0], max(shape[1:]), node.op.groups
    else:
        channels, pixels, groups = shape[-1], math.prod(shape[:-1]), 1
    return {
        "input channels": channels,
        "output channels": int(cast("Conv | Linear", node.op).weight.shape[0]),
        "pixels": pixels,
        "groups": groups,
    }
