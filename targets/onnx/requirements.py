"""What a graph must be like to be written in ONNX: the rules of nodes, and of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spikeport.convert.check import EXACT, Finding, Treatment, error
from spikeport.convert.frames import repeats
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import OPS, Input
from spikeport.convert.schedule import schedule
from spikeport.convert.streaming import needs_later_steps
from spikeport.core.errors import SpikeportError, UnsupportedError
from spikeport.targets.onnx.lowerings import LOWERINGS
from spikeport.targets.onnx.written import require_size

PASSES = ("hoist-static",)
"""What the lowering runs before anything else: it changes no value, and saves the work of T - 1
steps on static images."""


@dataclass(frozen=True)
class Requirements:
    """The rules for one graph, after `PASSES`."""

    graph: Graph
    dtype: str = "float32"
    streaming: bool = True

    def of_node(self, node: Node) -> Iterator[Finding]:
        if isinstance(node.op, Input):
            return
        # An op of another package may have a kind that looks like one of ours; its class tells.
        if node.op.kind not in LOWERINGS or type(node.op) is not OPS[node.op.kind]:
            yield error(
                node,
                f"ONNX has no counterpart for {node.op.kind!r}, an op of another package or target."
                if "." in node.op.kind
                else f"ONNX has no counterpart for {node.op.kind!r}.",
                "Replace this module by layers of PyTorch, or lower the graph as it was traced.",
            )
            return
        yield from LOWERINGS[node.op.kind].check(self.graph, node)

    def of_graph(self) -> Iterator[Finding]:
        if not len(self.graph):
            raise UnsupportedError("the graph is empty.")
        last = list(self.graph)[-1]
        for kind, count in (("inputs", self.graph.inputs), ("outputs", self.graph.outputs)):
            if len(count) != 1:
                yield error(last, f"the graph has {len(count)} {kind}.", "Trace one of each.")
        yield from self._time(last)
        if self.streaming:
            for node in needs_later_steps(self.graph):
                yield error(
                    node,
                    "at each step it needs a sum or mean over all steps, which a step graph does "
                    "not know yet.",
                    "Lower with streaming=False, which writes the unrolled graph only.",
                )

    def _time(self, last: Node) -> Iterator[Finding]:
        steps = repeats(self.graph)
        if len(steps) > 1:
            told = " and ".join(map(str, sorted(steps)))
            yield error(last, f"values are repeated over {told} steps.", "Use one number of steps.")
        try:
            groups = schedule(self.graph)
        except SpikeportError as refusal:
            yield error(last, refusal.why, refusal.fix)
            return
        for group in groups:
            inside = {node.name for node in group}
            outside = {name for node in group for name in node.inputs} - inside
            if len(group) > 1 and not any(self.graph[name].per_step for name in outside):
                yield error(
                    group[0],
                    "nothing with a time axis enters this feedback loop.",
                    "Repeat the input over the time steps before it.",
                )

    def of_numbers(self) -> Iterator[Finding]:
        """Whether the parameters fit into one file."""
        width = 8 if self.dtype == "float64" else 4
        sizes = {
            node: width * sum(value.numel() for value in node.op.tensors().values())
            for node in self.graph
        }
        largest = max(sizes, key=lambda node: sizes[node])
        try:
            require_size(sum(sizes.values()), largest.name)
        except UnsupportedError as refusal:
            yield error(largest, refusal.why, refusal.fix)

    def treatment(self, node: Node) -> Treatment:
        if isinstance(node.op, Input):
            return EXACT
        return LOWERINGS[node.op.kind].treatment(node)
