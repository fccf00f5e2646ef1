"""Several passes one after the other, each verified before the next one runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.passes.registry import PASSES
from spikeport.core.errors import CheckFailed

OUTPUT_TOLERANCE = 1e-10
"""Of the largest output. Float64 sums in another order differ by about 1e-14."""


def run_passes(graph: Graph, names: Sequence[str], frames: Tensor) -> Graph:
    """Run passes by name and verify each: the same spikes in every neuron, the same output.

    Args:
        names: in the order in which they run, out of `PASSES`.
        frames: what the graph takes, `[T, B, *shape]` or `[B, *shape]`; run in float64.

    Returns:
        the graph; `metadata["passes"]` names the passes that changed something.

    Raises:
        UnknownNameError: there is no such pass.
        CheckFailed: a pass changed a spike or the output; tells which.
    """
    passes = [(name, PASSES[name]) for name in names]
    before: _Run | None = None
    for name, apply in passes:
        changed = apply(graph)
        if changed is graph:
            continue
        before = before or _Run(graph, frames)
        _compare(name, before, _Run(changed, frames))
        changed.metadata["passes"] = [*graph.metadata.get("passes", []), name]
        graph = changed
    return graph


class _Run:
    """The spikes of every neuron, as bools by node name, and the output."""

    def __init__(self, graph: Graph, frames: Tensor) -> None:
        self.graph = graph
        self.spikes: dict[str, Tensor] = {}
        self.output = Interpreter(graph, torch.float64).run(frames, self._keep)

    def _keep(self, node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            self.spikes[node.name] = value != 0


def _compare(name: str, before: _Run, after: _Run) -> None:
    # A pass may drop neurons; one that it added would be compared with nothing.
    for neuron, spikes in after.spikes.items():
        if neuron not in before.spikes:
            raise _failed(name, after.graph[neuron], "adds a neuron")
        different = int((spikes != before.spikes[neuron]).sum())
        if different:
            raise _failed(
                name, after.graph[neuron], f"changes {different} of {spikes.numel()} spikes"
            )
    difference = float((after.output - before.output).abs().max())
    if not difference <= OUTPUT_TOLERANCE * max(1.0, float(before.output.abs().max())):
        (output,) = after.graph.outputs
        raise _failed(name, after.graph[output], f"moves the output by {difference:.3g}")


def _failed(name: str, node: Node, what: str) -> CheckFailed:
    return CheckFailed(
        f"pass {name} {what} on the sample.",
        where=node.path or node.name,
        fix="Leave this pass out (fold=False for fold-batch-norm). A membrane that meets its "
        "threshold exactly can do this; if there is none, please report it.",
    )
