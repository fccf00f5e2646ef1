"""Parity: the graph against the model it was traced from, spike by spike, in float64."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.recording import record
from spikeport.core.errors import CheckFailed

OUTPUT_TOLERANCE = 1e-10
"""Of the largest output. Float64 sums in another order differ by about 1e-14."""

_ADVICE = (
    "Does the model keep state outside its neurons? If not, please report it: the graph does not "
    "mean what the model computes."
)


@dataclass(frozen=True)
class Certificate:
    """What a parity run compared and found equal.

    Attributes:
        neurons: number of neuron layers compared.
        spikes: 0/1 values compared, over all layers, steps and samples.
        fired: how many of them were 1.
        silent: layers that never fired, for which equality says little.
        unread: neurons that run in the model but whose spikes nothing reads; they are left out.
        output_difference: largest absolute difference of the outputs.
        input_shape, input_sha256: the sample, little-endian float64 bytes.
    """

    neurons: int
    spikes: int
    fired: int
    output_difference: float
    input_shape: tuple[int, ...]
    input_sha256: str
    silent: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    dtype: str = "float64"

    def as_json(self) -> dict[str, Any]:
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def to_graph_layout(graph: Graph, sample: Tensor) -> Tensor:
    """A sample in the model's layout as the graph takes it: time first, then batch."""
    return sample.transpose(0, 1) if graph.metadata.get("time_axis") == 1 else sample


def verify(graph: Graph, model: nn.Module, sample: Tensor) -> Certificate:
    """Run model and graph in float64 on the same sample and compare every spike.

    Args:
        sample: in the model's own layout.

    Raises:
        CheckFailed: a spike or an output differs; tells layer, step, sample and position.
    """
    sample = sample.detach().cpu()
    expected, logits = record(graph, model, sample.double())
    comparison = _Comparison(expected)
    outputs = Interpreter(graph, torch.float64).run(
        to_graph_layout(graph, sample.double()), comparison.tap
    )
    if outputs.shape != logits.shape:
        raise CheckFailed(
            f"outputs are {list(outputs.shape)} in the graph, {list(logits.shape)} in the model.",
            where=graph.outputs[0],
        )
    difference = float((outputs - logits).abs().max())
    if not difference <= OUTPUT_TOLERANCE * max(1.0, float(logits.abs().max())):
        raise CheckFailed(
            f"all spikes are equal, but the outputs differ by {difference:.3g}.",
            where=graph.outputs[0],
            fix=_ADVICE,
        )
    return Certificate(
        neurons=len(comparison.seen),
        spikes=comparison.spikes,
        fired=comparison.fired,
        silent=tuple(comparison.silent),
        unread=tuple(path for path in expected if path not in comparison.seen),
        output_difference=difference,
        input_shape=tuple(sample.shape),
        input_sha256=hashlib.sha256(
            sample.double().contiguous().cpu().numpy().astype("<f8").tobytes()
        ).hexdigest(),
    )


@dataclass
class _Comparison:
    expected: dict[str, Tensor]
    spikes: int = 0
    fired: int = 0
    seen: set[str] = field(default_factory=set)
    silent: list[str] = field(default_factory=list)

    def tap(self, node: Node, value: Tensor) -> None:
        if not isinstance(node.op, Neuron):
            return
        if node.path not in self.expected:
            raise CheckFailed("the graph runs a neuron that the model does not.", where=node.path)
        got, want = value, self.expected[node.path]
        if got.shape != want.shape:
            raise CheckFailed(
                f"its spikes are {list(got.shape)} in the graph, {list(want.shape)} in the model.",
                where=node.path,
            )
        different = (got != want).nonzero()
        if len(different):
            step, sample, *position = (int(i) for i in different[0])
            raise CheckFailed(
                f"{len(different)} of {got.numel()} spikes differ from the model; the first at "
                f"step {step}, sample {sample}, position {position}: graph "
                f"{got[tuple(different[0])]:g}, model {want[tuple(different[0])]:g}.",
                where=node.path,
                fix=_ADVICE,
            )
        self.seen.add(node.path)
        self.spikes += got.numel()
        self.fired += int(got.count_nonzero())
        if not got.any():
            self.silent.append(node.name)
