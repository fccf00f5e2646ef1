"""Ops that bring values in, or move them without arithmetic, in a step or between steps."""

from __future__ import annotations

from collections.abc import Iterator

import nir
import numpy as np

from spikeport.convert.check import Finding, Status, Treatment, note
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    Delay,
    Input,
    Linear,
    MeanTime,
    RepeatTime,
    Reshape,
    Scale,
    Shape,
    SumTime,
)
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, refused, rule, spread


@rule(Input)
class InputRule(Rule):
    """`Input`: one frame per step."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        if not node.per_step:
            yield note(node, "the image has to be given at each time step.")

    def write(self, network: Network, node: Node) -> Sources:
        network.domains[node.name] = node.domain
        return network.add(node.name, nir.Input(np.array(node.shape)), ())


@rule(RepeatTime)
class RepeatTimeRule(Rule):
    """A static image is given at each step."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        if _over_time(plan.graph, node):
            yield refused(
                node,
                "a value of all time steps is shown at each of them.",
                "Let nothing that spikes read what is computed from the last step.",
            )

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        return Treatment(Status.REWRITTEN, by="frames", how="the image is given at each time step")

    def write(self, network: Network, node: Node) -> Sources:
        return network.read(node)


def _over_time(graph: Graph, node: Node) -> bool:
    """Whether a node that exists once per sample depends on all time steps."""
    sources = [graph[name] for name in node.inputs]
    return isinstance(node.op, MeanTime | SumTime) or any(
        not source.per_step and _over_time(graph, source) for source in sources
    )


@rule(MeanTime, SumTime)
class OverTimeRule(Rule):
    """The last thing that happens, or followed by layers that it commutes with."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        last = node
        while last.name not in plan.graph.outputs:
            followers = plan.graph.consumers(last.name)
            if len(followers) != 1 or not _commutes(node, followers[0]):
                yield refused(
                    node,
                    f"NIR has no {node.op.kind}, and what follows it is no layer that could stand "
                    "before it.",
                    "Let it be the last thing in the model: then it is left to whoever runs the "
                    "file.",
                )
                return
            last = followers[0]

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        return Treatment(
            Status.REWRITTEN,
            by="read-out",
            how="left to whoever runs the file, over the outputs of all time steps",
        )

    def write(self, network: Network, node: Node) -> Sources:
        network.readout = "mean" if isinstance(node.op, MeanTime) else "sum"
        return network.read(node)


def _commutes(over_time: Node, follower: Node) -> bool:
    op = follower.op
    if isinstance(op, Linear):
        return op.bias is None or isinstance(over_time.op, MeanTime)
    return isinstance(op, Reshape | Scale)


@rule(Reshape)
class ReshapeRule(Rule):
    """`Flatten`, where the new shape merges neighbouring axes.

    Axes are counted from the last one: snnTorch takes those from the first one for axes of a batch.
    """

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        before = plan.input_of(node).shape
        if before != node.shape and merged(before, node.shape) is None:
            yield refused(
                node,
                f"it reshapes {list(before)} to {list(node.shape)}; NIR can merge neighbouring "
                "axes only.",
                "Leave the axes as they are.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        before = network.plan.input_of(node).shape
        if before == node.shape:
            return network.read(node)
        axes = merged(before, node.shape)
        if axes is None:
            raise TypeError(f"{before} does not flatten to {node.shape}")
        first, last = (axis - len(before) for axis in axes)
        flatten = nir.Flatten(np.array(before), first, last)
        return network.add(node.name, flatten, network.read(node))


def merged(before: Shape, after: Shape) -> tuple[int, int] | None:
    """First and last axis of the one run of axes that `after` merges; None if it is no such."""
    gone = len(before) - len(after)
    for first in range(len(after)) if gone > 0 else ():
        last = first + gone
        if before[:first] == after[:first] and before[last + 1 :] == after[first + 1 :]:
            return first, last
    return None


@rule(Delay)
class DelayRule(Rule):
    """`Delay` of one time step, each of its elements alike."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        if not node.shape:
            yield refused(node, "it delays a number without axis.", "Give it one.")

    def write(self, network: Network, node: Node) -> Sources:
        network.domains[node.name] = node.domain
        # Its edges are drawn when all is written: what it shows comes later.
        return network.add(node.name, nir.Delay(spread(network.plan.options.dt, node)), ())
