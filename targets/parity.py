"""Parity: two runs compared spike by spike."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from spikeport.core.errors import CheckFailed, UsageError
from spikeport.core.plain import plain
from spikeport.targets.lowered import Run


@dataclass(frozen=True)
class LayerParity:
    """One layer.

    Attributes:
        compared: 0/1 values compared, over all steps, samples and neurons.
        rate: fraction of them that is 1 in the first run.
        different: how many differ.
    """

    layer: str
    compared: int
    rate: float
    different: int

    @property
    def silent(self) -> bool:
        """Whether it never fired, so that equality says little."""
        return self.rate == 0.0 and self.different == 0

    @property
    def constant(self) -> bool:
        """Whether it never fired, or always did."""
        return self.rate in (0.0, 1.0) and self.different == 0


@dataclass(frozen=True)
class Difference:
    """The first spike that differs: earliest layer in graph order, then step, then sample."""

    layer: str
    sample: int
    step: int
    index: tuple[int, ...]
    left: int
    right: int


@dataclass(frozen=True)
class Parity:
    """Result of `compare`.

    Attributes:
        first_difference: None if every spike is equal.
        output_difference: largest absolute one.
    """

    left: str
    right: str
    layers: tuple[LayerParity, ...]
    first_difference: Difference | None
    output_difference: float

    @property
    def equal(self) -> bool:
        """Whether every spike is equal."""
        return self.first_difference is None

    @property
    def compared(self) -> int:
        return sum(layer.compared for layer in self.layers)

    @property
    def different(self) -> int:
        return sum(layer.different for layer in self.layers)

    @property
    def silent(self) -> tuple[str, ...]:
        """Layers that never fired; a comparison with any of them proves nothing about it."""
        return tuple(layer.layer for layer in self.layers if layer.silent)

    @property
    def unproven(self) -> tuple[str, ...]:
        """Layers that never fired or always did: wrong arithmetic could emit the same."""
        return tuple(layer.layer for layer in self.layers if layer.constant)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values; an output difference that is no number is null."""
        told: dict[str, Any] = plain(
            asdict(self) | {"equal": self.equal, "silent": self.silent, "unproven": self.unproven}
        )
        return told

    def require(self, outputs: float = math.inf) -> None:
        """Do nothing if all spikes are equal, and outputs to within this absolute difference.

        Raises:
            CheckFailed: some differ; names the first.
        """
        first = self.first_difference
        if first is None:
            self._require_outputs(outputs)
            return
        raise CheckFailed(
            f"{self.different} of {self.compared} spikes differ between {self.left} and "
            f"{self.right}; the first at sample {first.sample}, step {first.step}, "
            f"index {first.index}: {first.left} against {first.right}.",
            where=first.layer,
            fix="Compare the layers before this one first: differences spread.",
        )

    def _require_outputs(self, tolerance: float) -> None:
        if not self.output_difference <= tolerance:  # NaN is no agreement
            raise CheckFailed(
                f"every spike is equal in {self.left} and {self.right}, but outputs differ by up "
                f"to {self.output_difference:g}.",
                where="outputs",
                fix="Look at what follows the last neuron.",
            )

    def prove(self, outputs: float = math.inf) -> None:
        """Do nothing if all spikes are equal and every layer had the chance to differ.

        Raises:
            CheckFailed: some differ, or a layer never fired or always did, so that its equality
                says nothing.
        """
        self.require(outputs)
        if self.unproven:
            shown = ", ".join(self.unproven[:3]) + (", ..." if len(self.unproven) > 3 else "")
            raise CheckFailed(
                f"{self.left} and {self.right} agree, but {len(self.unproven)} of "
                f"{len(self.layers)} layers never fired or always did ({shown}): that proves "
                "nothing about them.",
                where=self.unproven[0],
                fix="Compare on input that drives them, or on more samples; a layer that is dead "
                "on all data can be removed.",
            )


def compare(left: Run, right: Run) -> Parity:
    """Compare every layer, step, sample and neuron of two runs on the same frames.

    Raises:
        UsageError: the runs hold different layers or shapes, or no layer.
    """
    if list(left.spikes) != list(right.spikes) or not left.spikes:
        raise UsageError(
            "the two runs do not hold the same layers.",
            where=f"{left.backend}, {right.backend}",
            fix="Compare runs of one graph.",
        )
    layers: list[LayerParity] = []
    first: Difference | None = None
    for name, a in left.spikes.items():
        b = right.spikes[name]
        if a.shape != b.shape:
            raise UsageError(
                f"spikes have shapes {tuple(a.shape)} and {tuple(b.shape)}.",
                where=name,
                fix="Compare runs on the same frames.",
            )
        differs = a != b
        different, rate = int(differs.sum()), float(a.double().mean())
        layers.append(LayerParity(name, a.numel(), rate, different))
        if first is None and different:
            step, sample, *index = differs.nonzero()[0].tolist()
            at = (step, sample, *index)
            first = Difference(name, sample, step, tuple(index), int(a[at]), int(b[at]))
    gap = _output_difference(left, right)
    return Parity(left.backend, right.backend, tuple(layers), first, gap)


def _output_difference(left: Run, right: Run) -> float:
    a, b = left.outputs, right.outputs
    if a.shape != b.shape:
        raise UsageError(
            f"outputs have shapes {tuple(a.shape)} and {tuple(b.shape)}.",
            where=f"{left.backend}, {right.backend}",
            fix="Compare runs of one graph on the same frames.",
        )
    return float((a - b).abs().max()) if a.numel() else 0.0


def output_gap(left: Run, right: Run, *, per_step: bool) -> float:
    """Largest absolute difference of the outputs in samples whose spikes are all equal.

    Where spikes differ, outputs do so as a consequence; where none does, what reads them computes
    something else.

    Args:
        per_step: whether outputs are `[T, B, *shape]`, else `[B, *shape]`.

    Returns:
        0 if no sample has equal spikes; NaN if one of its outputs is none, or shapes differ.
    """
    a, b = left.outputs.double(), right.outputs.double()
    if a.shape != b.shape:
        return math.nan
    axis = 1 if per_step else 0
    equal = torch.ones(a.shape[axis], dtype=torch.bool)
    for name in left.spikes.keys() & right.spikes.keys():
        same = left.spikes[name] == right.spikes[name]
        equal &= same.transpose(0, 1).flatten(1).all(1)
    difference = (a - b).abs().index_select(axis, equal.nonzero().flatten())
    return float(difference.max()) if difference.numel() else 0.0
