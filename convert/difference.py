"""Where a graph and its model first differ: step, sample, position, membranes and margins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.recording import currents_of
from spikeport.convert.tracing.neurons import read_neuron


def describe_difference(
    graph: Graph,
    model: nn.Module,
    sample: Tensor,
    node: Node,
    path: str,
    got: Tensor,
    want: Tensor,
    offset: int,
) -> str:
    """The first differing spike of a neuron, in words.

    Both sides are run again for the currents that the neuron reads.

    Args:
        sample: float64, in the model's layout.
        node, path: the neuron in the graph and in the model.
        got, want: its spikes there, `[T, B, *shape]`.
        offset: number of the first sample of this batch.
    """
    different = (got != want.to(got.dtype)).nonzero()
    index = tuple(int(i) for i in different[0])
    step, batch, *position = index
    told = (
        f"{len(different)} of {got.numel()} spikes differ from the model; the first at "
        f"step {step}, sample {batch + offset}, position {position}: graph {got[index]:g}, "
        f"model {float(want[index]):g}"
    )
    ours, theirs = _op(node.op), _op(read_neuron(model.get_submodule(path), path))
    if any(type(op).membrane is Neuron.membrane for op in (ours, theirs)):
        return f"{told}."  # a neuron of another package that keeps its membrane to itself
    membranes = [
        (_membrane(op, currents, index), op)
        for op, currents in (
            (ours, _currents(graph, sample, node)),
            (theirs, currents_of(graph, model, sample, path)),
        )
    ]
    sides = [
        f"{side} membrane {h:.17g}, {h - _threshold(op, index, got.shape[2:]):+.3g} from the "
        "threshold"
        for side, (h, op) in zip(("graph", "model"), membranes, strict=True)
    ]
    return f"{told}; {'; '.join(sides)}."


def _op(op: object) -> Neuron:
    if not isinstance(op, Neuron):
        raise TypeError(f"{type(op).__name__} is no neuron")
    return op.cast(torch.float64)


def _currents(graph: Graph, sample: Tensor, node: Node) -> Tensor:
    read: dict[str, Tensor] = {}

    def keep(source: Node, value: Tensor) -> None:
        if source.name in node.inputs:
            read[source.name] = value.clone()

    frames = sample.transpose(0, 1) if graph.metadata.get("time_axis") == 1 else sample
    Interpreter(graph, torch.float64).run(frames, keep)
    return read[node.inputs[0]]


def _membrane(op: Neuron, currents: Tensor, index: tuple[int, ...]) -> float:
    """The membrane before it is compared with the threshold, at one step and place."""
    step, *place = index
    state = op.initial(currents[0])
    for current in currents[:step]:
        state, _ = op.step(state, current)
    return float(op.membrane(state, currents[step])[tuple(place)])


def _threshold(op: Neuron, index: tuple[int, ...], shape: torch.Size) -> float:
    value = torch.as_tensor(op.threshold(), dtype=torch.float64)
    return float(value.expand(shape)[index[2:]])
