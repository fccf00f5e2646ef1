"""Neurons that fire earlier or later than they were trained to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import Neuron, Op
from spikeport.convert.seal import CERTIFICATE
from spikeport.core.errors import UnsupportedError, UsageError

FACTOR = "threshold_factor"
"""Metadata: what thresholds were multiplied by."""


def scale_thresholds(graph: Graph, factor: float) -> Graph:
    """The threshold of every neuron times a factor; soft resets subtract the new one.

    Another network than the one that was traced: its certificate does not go with it.

    Raises:
        UsageError: the factor is not above 0.
        UnsupportedError: a neuron has no threshold of its own to scale.
    """
    if not (factor > 0 and math.isfinite(factor)):
        raise UsageError(
            f"thresholds cannot be multiplied by {factor:g}.",
            where="threshold",
            fix="Give a factor above 0; 1 leaves the network as it is.",
        )
    if factor == 1:
        return graph
    changed: dict[str, Op] = {}
    for node in graph:
        if isinstance(node.op, Neuron):
            if not hasattr(node.op, "v_threshold"):
                raise UnsupportedError(
                    "this neuron has no threshold that can be scaled.",
                    where=node.path or node.name,
                    fix="Leave threshold out.",
                )
            op: Any = node.op
            changed[node.name] = replace(op, v_threshold=op.v_threshold * factor)
    scaled = rebuilt(graph, changed)
    scaled.metadata.pop(CERTIFICATE, None)
    scaled.metadata[FACTOR] = factor * scaled.metadata.get(FACTOR, 1.0)
    return scaled
