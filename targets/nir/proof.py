"""The proof of a file: what is read back from it does what the graph does."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.core.errors import CheckFailed
from spikeport.targets.nir.report import Proof

OUTPUT_TOLERANCE = 1e-10
"""Of the largest output. What differs is the order of sums behind the last neuron."""
_STEPS, _SAMPLES = 4, 2


def sample_frames(graph: Graph) -> Tensor:
    """Random frames that a graph can take, the same on every run."""
    entry, random = graph.input, torch.Generator().manual_seed(0)
    steps = graph.metadata.get("fixed_steps") or _STEPS
    shape = (*((steps,) if entry.per_step else ()), _SAMPLES, *entry.shape)
    if entry.domain == "spike":
        return (torch.rand(shape, generator=random) < 0.3).double()
    if entry.domain == "graded":
        return torch.poisson(torch.full(shape, 0.5), generator=random).double()
    return torch.randn(shape, generator=random).double()


def prove(graph: Graph, back: Graph, frames: Tensor, *, exact: bool, generated: bool) -> Proof:
    """Run both in float64 and compare every spike.

    Args:
        graph: what was lowered; takes `frames`.
        back: what was read back.
        exact: whether no spike may differ.

    Raises:
        CheckFailed: a spike differs, or the outputs do.
    """
    want, got = _Spikes(graph, frames), _Spikes(back, frames)
    if want.of.keys() != got.of.keys():
        odd = sorted(want.of.keys() ^ got.of.keys())[0]
        raise _failed(odd, "this neuron is in one of the graph and its file only")
    different = {name: int((got.of[name] != spikes).sum()) for name, spikes in want.of.items()}
    for name, count in different.items() if exact else ():
        if count:
            raise _failed(
                graph[name].path or name, f"{count} spikes differ between the graph and its file"
            )
    distance = float((want.output - got.output).abs().max())
    allowed = OUTPUT_TOLERANCE * max(1.0, float(want.output.abs().max()))
    if not sum(different.values()) and not distance <= allowed:
        raise _failed(graph.outputs[0], f"the outputs of graph and file differ by {distance:.3g}")
    return Proof(
        neurons=len(want.of),
        spikes=sum(spikes.numel() for spikes in want.of.values()),
        fired=sum(int(spikes.sum()) for spikes in want.of.values()),
        different=sum(different.values()),
        output_difference=distance,
        generated=generated,
    )


class _Spikes:
    """The spikes of every neuron, and the output."""

    def __init__(self, graph: Graph, frames: Tensor) -> None:
        self.of: dict[str, Tensor] = {}
        self.output = Interpreter(graph, torch.float64).run(frames, self._keep)

    def _keep(self, node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            self.of[node.name] = value.bool()


def _failed(where: str, why: str) -> CheckFailed:
    return CheckFailed(
        f"{why}.", where=where, fix="Nothing was written. Please report it with the graph."
    )
