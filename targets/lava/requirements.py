"""What a graph must be like to be lowered to Lava: the rules of nodes, and of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from spikeport.convert.check import EXACT, Finding, Treatment, error, note
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import RepeatTime
from spikeport.core.errors import UnsupportedError
from spikeport.targets.lava.entry import declared
from spikeport.targets.lava.region import boundary, on_lava
from spikeport.targets.lava.retime import retime
from spikeport.targets.lava.rules import RULES

PASSES = ("fold-batch-norm",)
"""What the lowering runs before anything else."""


@dataclass(frozen=True)
class Requirements:
    """The rules for one graph, after `PASSES`."""

    given: Graph

    @cached_property
    def graph(self) -> Graph:
        """The graph with its input as Lava gets it."""
        return declared(self.given)

    @cached_property
    def region(self) -> set[str]:
        """Names of the nodes that run on Lava."""
        return on_lava(self.graph)

    def of_node(self, node: Node) -> Iterator[Finding]:
        """What the rule for this kind of op finds, if the node runs on Lava."""
        if node.name not in self.region:
            return
        node = self.graph[node.name]
        if node.op.kind not in RULES:
            yield error(
                node,
                f"Lava has no counterpart for {node.op.kind!r}.",
                "Replace this module, or leave it to the host by moving it behind the last neuron.",
            )
            return
        rule = RULES[node.op.kind]
        yield from rule.check(self.graph, node)
        if rule.simulation_only:
            yield note(
                node,
                f"simulation only: {node.op.kind} on graded values is a process of Spikeport, "
                "not a part of the chip.",
            )

    def of_graph(self) -> Iterator[Finding]:
        """What stands against the graph as a whole."""
        if not self.graph.outputs:
            raise UnsupportedError("the graph has no output.")
        last = self.graph[self.graph.outputs[0]]
        if not self.region:
            yield error(
                last, "the graph has no spiking neuron.", "Lava runs spiking networks only."
            )
            return
        if len(self.graph.inputs) != 1:
            yield error(last, f"the graph has {len(self.graph.inputs)} inputs.", "Use one input.")
            return
        yield from self._image()
        yield from self._boundary()
        retime(self.graph)

    def _image(self) -> Iterator[Finding]:
        """A static image must be repeated inside the graph, everywhere as often."""
        repeats = [node for node in self.graph if isinstance(node.op, RepeatTime)]
        steps = {node.op.steps for node in repeats if isinstance(node.op, RepeatTime)}
        if len(steps) > 1:
            yield error(
                repeats[-1],
                f"the model repeats values {', '.join(map(str, sorted(steps)))} times.",
                "Repeat each value over the same number of time steps.",
            )
        if repeats and self.graph.input.per_step:
            yield error(
                repeats[-1],
                "a value is repeated over time though the input has time steps of its own.",
                "Trace the model with a static image, or repeat outside of it.",
            )

    def _boundary(self) -> Iterator[Finding]:
        reads = boundary(self.graph, self.region)
        if len(reads) != 1 or len(self.graph.outputs) != 1:
            for node in reads[1:]:
                yield error(
                    node,
                    "the part behind the last neuron reads more than one layer.",
                    "Let the classifier read one layer of spikes.",
                )
        if reads and not reads[0].domain.is_whole:
            yield error(
                reads[0],
                f"the classifier reads {reads[0].domain} values, not spikes.",
                "Put a neuron before the classifier.",
            )

    def of_numbers(self) -> Iterator[Finding]:
        """Nothing: the lowering finds it when it chooses scales."""
        yield from ()

    def treatment(self, node: Node) -> Treatment:
        """What becomes of a node that nothing stands against."""
        if node.name not in self.region:
            return Treatment(EXACT.status, how="computed on the host, in float")
        return RULES[node.op.kind].treatment(self.graph, self.graph[node.name])
