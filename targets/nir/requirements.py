"""What a graph must be like to be written in NIR: the rules of nodes, and of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spikeport.convert.check import Finding, Severity, Status, Treatment, error
from spikeport.convert.frames import repeats
from spikeport.convert.graph import Node
from spikeport.convert.ops import EulerNeuron, Neuron, Threshold
from spikeport.targets.nir.mark import Fires
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules import RULES
from spikeport.targets.nir.rules.base import refused

PASSES = ("fold-batch-norm",)
"""What the lowering runs before anything else."""


@dataclass(frozen=True)
class Requirements(Plan):
    """The rules for one graph, after `PASSES`."""

    def found(self, node: Node) -> list[Finding]:
        """What NIR has against a node, whatever was chosen about extensions."""
        if node.op.kind not in RULES:
            return [refused(node, f"NIR has no counterpart for {node.op.kind!r}.", "Replace it.")]
        return list(RULES[node.op.kind].check(self, node))

    def is_extension(self, node: Node) -> bool:
        """Whether a node is written as one of Spikeport's own."""
        # What a delay shows is named by its op, and follows from its edges in NIR.
        possible = self.options.extensions and node.op.feedback is None
        return possible and any(finding.severity is Severity.ERROR for finding in self.found(node))

    def of_node(self, node: Node) -> Iterator[Finding]:
        """What the rule for this kind of op finds."""
        if not self.is_extension(node):
            yield from self.found(node)

    def of_graph(self) -> Iterator[Finding]:
        """What stands against the graph as a whole."""
        nodes = list(self.graph)
        if not nodes:
            return
        if len(self.graph.outputs) != 1:
            yield error(nodes[-1], f"the graph has {len(self.graph.outputs)} outputs.", "Use one.")
        if len(self.graph.inputs) != 1:
            yield error(nodes[-1], f"the graph has {len(self.graph.inputs)} inputs.", "Use one.")
        if any(not node.per_step for node in self.graph.inputs) and self.image_steps is None:
            yield error(
                nodes[-1],
                "nothing in this graph runs over time; NIR describes what does.",
                "Give it frames [T, B, ...], or repeat the image over time.",
            )
        yield from self._ties()

    def _ties(self) -> Iterator[Finding]:
        strict = {node.name: is_strict(node) for node in self.graph if fires(node)}
        if len(set(strict.values())) > 1:
            odd = next(name for name, above in strict.items() if above)
            yield error(
                self.graph[odd],
                "it fires above its threshold, other neurons at theirs; a file says one of the two "
                "for all.",
                "Read the network with fires='at'.",
            )

    def of_numbers(self) -> Iterator[Finding]:
        """Nothing: NIR holds float64."""
        yield from ()

    def treatment(self, node: Node) -> Treatment:
        """What becomes of a node that nothing stands against."""
        if self.is_extension(node):
            return Treatment(
                Status.REWRITTEN,
                by="extension",
                how=f"a node of type spikeport.{node.op.kind}, which only Spikeport reads",
            )
        return RULES[node.op.kind].treatment(self, node)

    @property
    def fires(self) -> Fires:
        """What happens where a membrane meets its threshold exactly, in the whole graph."""
        return "above" if any(is_strict(node) for node in self.graph) else "at"

    @property
    def image_steps(self) -> int | None:
        """For how many steps the one image of a sample is shown; None if each has its frame."""
        if all(node.per_step for node in self.graph.inputs):
            return None
        return next(iter(repeats(self.graph)), None)


def fires(node: Node) -> bool:
    """Whether a node compares something with a threshold."""
    return isinstance(node.op, Neuron | Threshold)


def is_strict(node: Node) -> bool:
    """Whether a membrane that meets its threshold exactly does not fire."""
    return isinstance(node.op, EulerNeuron | Threshold) and node.op.strict
