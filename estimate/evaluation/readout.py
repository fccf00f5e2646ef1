"""What a network would answer after each of its steps, from one run over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import OverTime, Stateless, SumTime
from spikeport.core.errors import CheckFailed, UnsupportedError

TOLERANCE = 0.02
"""Of the largest score: the network's own number format may be a half one."""


@dataclass(frozen=True)
class ReadOut:
    """Where a graph crosses from steps to samples, and what it does behind that.

    All that comes before a mean (or sum) over time depends on earlier steps only, so the mean over
    the first t steps is what a network that is stopped there has seen; what stands behind the mean
    is computed anew for each t, linear or not. A network whose output exists at each step is read
    by the mean of its outputs.

    Attributes:
        graph: the network.
        crossings: the nodes that take a mean or sum over time; none where outputs come per step.
        tail: the nodes behind them, in order.
    """

    graph: Graph
    crossings: tuple[Node, ...]
    tail: tuple[Node, ...]
    _ops: Mapping[str, Stateless] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, graph: Graph) -> ReadOut:
        """Find it.

        Raises:
            UnsupportedError: the network has no answer after fewer steps; tells where, and why.
        """
        (output,) = graph.outputs
        before = _ancestors(graph, output)
        nodes = [node for node in graph if node.name in before]
        crossings = [node for node in nodes if isinstance(node.op, OverTime)]
        behind = {node.name for node in crossings}
        tail = []
        for node in nodes:
            if node.name not in behind and not behind.isdisjoint(node.inputs):
                behind.add(node.name)
                tail.append(_checked(graph, node, behind))
        if not crossings and not graph[output].per_step:
            raise _refusal(graph[output], "nothing in this network exists at each time step")
        if crossings and output not in behind:
            raise _refusal(graph[output], "the output does not follow from the mean over time")
        for node in crossings:
            if isinstance(node.op, SumTime) and graph.metadata.get("fixed_steps") is not None:
                raise _refusal(node, "it sums over time and the model computes with the number T")
        ops = {node.name: cast(Stateless, node.op.cast(torch.float64)) for node in tail}
        return cls(graph, tuple(crossings), tuple(tail), ops)

    @property
    def reads(self) -> frozenset[str]:
        """The nodes whose values `scores` takes."""
        return frozenset(node.inputs[0] for node in self.crossings) or frozenset(self.graph.outputs)

    def scores(self, values: Mapping[str, Tensor], output: Tensor) -> Tensor:
        """The answers after each step, `[T, B, classes]` in float64 on the CPU; the last is the
        network's own.

        Args:
            values: `[T, B, *shape]` of each of `reads`.
            output: of the same run.

        Raises:
            CheckFailed: the answer after all steps is not that of the run.
        """
        (last,) = self.graph.outputs
        if not self.crossings:
            found = _means(values[last])
        else:
            known = {node.name: _over(node, values[node.inputs[0]]) for node in self.crossings}
            axes = known[self.crossings[0].name].shape[:2]
            for node in self.tail:
                sources = [known[name].flatten(0, 1) for name in node.inputs]
                result = self._ops[node.name].apply(*sources)
                known[node.name] = result.reshape(*axes, *result.shape[1:])
            found = known[last]
        own = output.detach().cpu().double()
        own = own.mean(0) if own.ndim == found.ndim else own
        _check_last(self.graph[last], found[-1], own)
        return torch.cat([found[:-1], own.unsqueeze(0)])


def _ancestors(graph: Graph, name: str) -> set[str]:
    found, left = set[str](), [name]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            shown = graph[each].op.feedback
            left += [*graph[each].inputs, *([] if shown is None else [shown])]
    return found


def _checked(graph: Graph, node: Node, behind: set[str]) -> Node:
    if node.per_step:
        raise _refusal(node, "it reads a mean over all steps at each single step")
    if not isinstance(node.op, Stateless):
        raise _refusal(node, f"a {node.op.kind} stands behind the mean over time")
    for name in node.inputs:
        if name not in behind:
            raise _refusal(node, f"it joins the mean over time with {name}, which has no steps")
    return node


def _refusal(node: Node, why: str) -> UnsupportedError:
    return UnsupportedError(
        f"there is no answer after fewer than all time steps: {why}.",
        where=node.path or node.name,
        fix="Evaluate without the curve over steps and without early exit.",
    )


def _over(node: Node, values: Tensor) -> Tensor:
    values = values.detach().cpu().double()
    return values.cumsum(0) if isinstance(node.op, SumTime) else _means(values)


def _means(values: Tensor) -> Tensor:
    sums = values.detach().cpu().double().cumsum(0)
    counts = torch.arange(1, len(sums) + 1, dtype=torch.float64)
    return sums / counts.reshape(-1, *[1] * (sums.ndim - 1))


def _check_last(node: Node, found: Tensor, own: Tensor) -> None:
    allowed = TOLERANCE * float(own.abs().max()) if own.numel() else 0.0
    # Written so that NaN fails too.
    if found.shape != own.shape or not bool(((found - own).abs() <= allowed).all()):
        raise CheckFailed(
            "the read-out over all steps is not what the run gave.",
            where=node.path or node.name,
            fix="Please report this network; evaluate it without the curve over steps.",
        )
