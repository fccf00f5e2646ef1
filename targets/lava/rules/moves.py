"""Ops that bring values in, or move them without arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, MaxPool, Permute, Reshape
from spikeport.targets.lava.rules.base import Rule, rule


@rule(Input)
class InputRule(Rule):
    """Event counts, one frame per step."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if not node.domain.is_whole:
            yield error(
                node,
                f"the input is declared {node.domain}; Lava takes whole numbers.",
                "Feed event counts and trace with input_domain='graded' (or 'spike' for 0/1 "
                "frames); leave out any normalisation.",
            )
        if not node.per_step:
            yield error(
                node,
                "the input is one static image, repeated inside the model.",
                "Repeat the image over the time steps outside the model and trace it with frames "
                "[T, B, C, H, W].",
            )

    def exponent(self, graph: Graph, node: Node, inputs: Sequence[int]) -> int:
        return 0


@rule(Reshape, Permute)
class ViewRule(Rule):
    """Moves values only."""


@rule(MaxPool)
class MaxPoolRule(Rule):
    """Commutes with a positive factor, and with a constant added per channel."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if len(node.shape) != 3:
            yield error(node, "max pooling needs [C, H, W].", "Reshape before it.")
