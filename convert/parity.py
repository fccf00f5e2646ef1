"""Parity: the graph against the model it was traced from, spike by spike, in float64."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from spikeport.convert.difference import describe_difference
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.passes.merge_identical import MERGED
from spikeport.convert.passes.pipeline import OUTPUT_TOLERANCE
from spikeport.convert.recording import record
from spikeport.core.errors import CheckFailed

CHUNK = 32
"""Samples that are run at once: bounds memory."""

_ADVICE = (
    "Does the model keep state outside its neurons? If not, please report it: the graph does not "
    "mean what the model computes."
)


@dataclass(frozen=True)
class Certificate:
    """What a parity run compared and found equal.

    Attributes:
        neurons: number of the model's neuron layers compared.
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


def verify(model: nn.Module, graph: Graph, samples: Tensor) -> Certificate:
    """Run model and graph in float64 on the same samples and compare every spike.

    A model of one time step is called once per step, from rest for each batch of samples.

    Args:
        samples: in the model's own layout, as given to `trace`.

    Raises:
        CheckFailed: a spike or an output differs; tells layer, step, sample, position, both
            membranes and how far they are from the threshold.
        UnsupportedError: the model does not run in float64.
    """
    samples = samples.detach().cpu()
    batch = 1 if graph.metadata.get("time_axis") == 0 else 0
    comparison = _Comparison(model, graph)
    difference = 0.0
    for start, chunk in enumerate(torch.split(samples, CHUNK, batch)):
        difference = max(difference, comparison.run(chunk.double(), start * CHUNK))
    return Certificate(
        neurons=len(comparison.fired),
        spikes=comparison.spikes,
        fired=sum(comparison.fired.values()),
        silent=tuple(path for path, count in comparison.fired.items() if not count),
        unread=tuple(path for path in comparison.ran if path not in comparison.fired),
        output_difference=difference,
        input_shape=tuple(samples.shape),
        input_sha256=hashlib.sha256(
            samples.double().contiguous().cpu().numpy().astype("<f8").tobytes()
        ).hexdigest(),
    )


@dataclass
class _Comparison:
    model: nn.Module
    graph: Graph
    spikes: int = 0
    fired: dict[str, int] = field(default_factory=dict)
    """Spikes by module path of each neuron compared."""
    ran: dict[str, None] = field(default_factory=dict)
    """Paths of the neurons that run in the model, in their order."""

    def run(self, sample: Tensor, offset: int) -> float:
        """Compare one batch, the samples of which are numbered from `offset`.

        Returns:
            the largest difference of the outputs.
        """
        expected, logits = record(self.graph, self.model, sample)
        self.ran |= dict.fromkeys(expected)
        merged = self.graph.metadata.get(MERGED, {})

        def tap(node: Node, value: Tensor) -> None:
            if isinstance(node.op, Neuron):
                twins = [path for path, kept in merged.items() if kept == node.path]
                for path in (node.path, *twins):
                    self._compare(node, path, value, expected, sample, offset)

        outputs = Interpreter(self.graph, torch.float64).run(
            to_graph_layout(self.graph, sample), tap
        )
        return self._compare_outputs(outputs, logits)

    def _compare(
        self,
        node: Node,
        path: str,
        got: Tensor,
        expected: dict[str, Tensor],
        sample: Tensor,
        offset: int,
    ) -> None:
        if path not in expected:
            raise CheckFailed("the graph runs a neuron that the model does not.", where=path)
        want = expected[path]
        if got.shape != want.shape:
            raise CheckFailed(
                f"its spikes are {list(got.shape)} in the graph, {list(want.shape)} in the model.",
                where=path,
            )
        if not torch.equal(got, want.to(got.dtype)):
            why = describe_difference(self.graph, self.model, sample, node, path, got, want, offset)
            raise CheckFailed(why, where=path, fix=_ADVICE)
        self.spikes += got.numel()
        self.fired[path] = self.fired.get(path, 0) + int(got.count_nonzero())

    def _compare_outputs(self, outputs: Tensor, logits: Tensor) -> float:
        (name,) = self.graph.outputs
        if outputs.shape != logits.shape:
            raise CheckFailed(
                f"outputs are {list(outputs.shape)} in the graph, {list(logits.shape)} in the "
                "model.",
                where=name,
            )
        difference = float((outputs - logits).abs().max())
        if not difference <= OUTPUT_TOLERANCE * max(1.0, float(logits.abs().max())):
            raise CheckFailed(
                f"all spikes are equal, but the outputs differ by {difference:.3g}.",
                where=name,
                fix=_ADVICE,
            )
        return difference
