"""Ops that have no lowering where a neuron follows them, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import BatchNorm, MeanTime, SumTime
from spikeport.targets.lava.rules.base import Rule, rule


class RefusedRule(Rule):
    """Refuses, with a reason and a way out."""

    why: str
    fix: str

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        yield error(node, self.why, self.fix)


@rule(BatchNorm)
class BatchNormRule(RefusedRule):
    """What folding left over."""

    why = "this batch norm cannot be folded: it does not follow a convolution that only it reads."
    fix = "Place it right after a convolution or linear layer, and run the pass fold-batch-norm."


@rule(MeanTime, SumTime)
class MeanTimeRule(RefusedRule):
    """Needs the future."""

    why = "a mean or sum over time stands before a neuron; a neuron cannot wait for the last step."
    fix = "Take it after the last neuron only."
