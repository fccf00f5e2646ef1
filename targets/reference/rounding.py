"""Spikes that differ from those of float64."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron


@dataclass(frozen=True)
class LayerFlips:
    """One layer of neurons: how many 0/1 values, how many of them 1, how many differ."""

    layer: str
    spikes: int
    fired: int
    flipped: int


@dataclass(frozen=True)
class Flips:
    """Against float64, on the same frames.

    Attributes:
        dtype: of the run.
        layers: in graph order.
        output_difference: largest difference of outputs.
        same_class: share of samples whose largest output is the same; None if the output has no
            axis of classes.
    """

    dtype: str
    layers: tuple[LayerFlips, ...]
    output_difference: float
    same_class: float | None

    @property
    def spikes(self) -> int:
        return sum(layer.spikes for layer in self.layers)

    @property
    def flipped(self) -> int:
        return sum(layer.flipped for layer in self.layers)

    @property
    def share(self) -> float:
        """Of all 0/1 values, over steps, samples and neurons."""
        return self.flipped / self.spikes if self.spikes else 0.0

    @property
    def first(self) -> str | None:
        """The first layer with a flip: flips before a layer cause flips in it."""
        return next((layer.layer for layer in self.layers if layer.flipped), None)

    def as_json(self) -> dict[str, Any]:
        totals = {"spikes": self.spikes, "flipped": self.flipped, "share": self.share}
        return {
            "dtype": self.dtype,
            **totals,
            "first": self.first,
            "output_difference": self.output_difference,
            "same_class": self.same_class,
            "layers": [asdict(layer) for layer in self.layers],
        }


def flips(executor: Executor, frames: Tensor, reference: Executor | None = None) -> Flips:
    """Count the spikes of a run that differ from the interpreter's in float64.

    Args:
        frames: as the executor takes them; one batch.
        reference: what to compare with, on the same graph.
    """
    graph = executor.graph
    expected: dict[str, Tensor] = {}
    layers: dict[str, LayerFlips] = {}

    def keep(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            expected[node.name] = value != 0

    def count(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            # Freed once compared: a large network's spikes are kept once, as bools.
            other = expected.pop(node.name)
            fired = (value != 0).cpu()
            layers[node.name] = LayerFlips(
                layer=node.path or node.name,
                spikes=other.numel(),
                fired=int(other.sum()),
                flipped=int((fired != other).sum()),
            )

    first = reference or Interpreter(graph, torch.float64)
    exact = first.run(frames, keep).double().cpu()
    output = executor.run(frames, count).double().cpu()
    # One label per sample, at each step if the output has steps.
    classes = exact.ndim >= 2 and exact.shape[-1] > 1
    agree = (exact.argmax(-1) == output.argmax(-1)).double().mean() if classes else None
    return Flips(
        dtype=str(getattr(executor, "dtype", "")).removeprefix("torch."),
        layers=tuple(layers[node.name] for node in graph if node.name in layers),
        output_difference=float((exact - output).abs().max()),
        same_class=None if agree is None else float(agree),
    )
