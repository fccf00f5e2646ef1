"""Layers one at a time: every neuron runs, but its readers are given spikes from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron, Stateful


class Alone(NamedTuple):
    """What one layer of neurons did on given spikes."""

    spikes: Tensor
    """Bool, `[T, B, *feature]`."""
    membrane: Tensor | None
    """Before it is compared, in units of the threshold, `[T, B, *feature]`; None if the neuron
    keeps it to itself or stands in a feedback loop."""


def run_alone(graph: Graph, frames: Tensor, given: Mapping[str, Tensor]) -> dict[str, Alone]:
    """Run each layer of neurons on what the given spikes make of its input, in float64.

    So errors do not add up over the depth: what is seen is that layer's own. In a feedback loop
    the layers run together.

    Args:
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
        given: spikes by neuron node, `[T, B, *feature]`.
    """
    runner = _Forced(graph, given)
    runner.run(frames, runner.keep)
    return runner.found


class _Forced(Interpreter):
    def __init__(self, graph: Graph, given: Mapping[str, Tensor]) -> None:
        super().__init__(graph, torch.float64)
        self.given = given
        self.found: dict[str, Alone] = {}

    def keep(self, node: Node, value: Tensor) -> None:
        """As tap: neurons in loops, which are computed step by step with all others of it."""
        if isinstance(node.op, Neuron) and node.name not in self.found:
            self.found[node.name] = Alone(value.bool(), None)

    def stateful(self, node: Node, op: Stateful, current: Tensor) -> Tensor:
        spikes = super().stateful(node, op, current)
        if not isinstance(op, Neuron):
            return spikes
        self.found[node.name] = Alone(spikes.bool(), _membrane(op, current))
        return self.given[node.name].to(self.dtype)


def _membrane(op: Neuron, current: Tensor) -> Tensor | None:
    if type(op).membrane is Neuron.membrane:
        return None
    state = op.initial(current[0])
    levels = torch.empty_like(current)
    for step, x in enumerate(current):
        levels[step] = op.membrane(state, x) / op.threshold()
        state, _ = op.step(state, x)
    return levels
