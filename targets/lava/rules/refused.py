"""Ops that have no lowering where a neuron follows them, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AvgPool, BatchNorm, MeanTime, RepeatTime
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


@rule(AvgPool)
class AvgPoolRule(RefusedRule):
    """Divisors that no shift expresses."""

    why = "average pooling over windows is not lowered to Lava."
    fix = "Use max pooling, or a depth-wise convolution with constant weights."


@rule(MeanTime)
class MeanTimeRule(RefusedRule):
    """Needs the future."""

    why = "a mean over time stands before a neuron; a neuron cannot wait for the last step."
    fix = "Average over time after the last neuron only."


@rule(RepeatTime)
class RepeatTimeRule(RefusedRule):
    """A host's job."""

    why = "a value is repeated over time inside the model."
    fix = "Repeat it outside and trace the model with frames [T, B, C, H, W]."
