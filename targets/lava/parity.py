"""Parity: two runs compared spike by spike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava.record import Record

OUTPUT_TOLERANCE = 1e-9
"""The host's float64 sums may be taken in another order."""


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
        return asdict(self) | {
            "equal": self.equal,
            "silent": list(self.silent),
            "unproven": list(self.unproven),
        }

    def require(self) -> None:
        """Do nothing if all spikes are equal, and with them the outputs.

        Raises:
            CheckFailed: some differ; names the first.
        """
        first = self.first_difference
        if first is None:
            self._require_outputs()
            return
        raise CheckFailed(
            f"{self.different} of {self.compared} spikes differ between {self.left} and "
            f"{self.right}; the first at sample {first.sample}, step {first.step}, "
            f"index {first.index}: {first.left} against {first.right}.",
            where=first.layer,
            fix="Compare the layers before this one first: differences spread.",
        )

    def _require_outputs(self) -> None:
        if not self.output_difference <= OUTPUT_TOLERANCE:
            raise CheckFailed(
                f"every spike is equal in {self.left} and {self.right}, but outputs differ by up "
                f"to {self.output_difference:g}.",
                where="outputs",
                fix="Please report this graph: what follows the last neuron is at fault.",
            )

    def prove(self) -> None:
        """Do nothing if all spikes are equal and every layer had the chance to differ.

        Raises:
            CheckFailed: some differ, or a layer never fired or always did, so that its equality
                says nothing.
        """
        self.require()
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


def compare(left: Record, right: Record) -> Parity:
    """Compare every layer, step, sample and neuron of two runs on the same frames.

    Raises:
        UsageError: the runs hold different layers or shapes, or no layer.
    """
    if list(left.spikes) != list(right.spikes) or not left.spikes:
        raise UsageError(
            "the two runs do not hold the same layers.",
            where=f"{left.executor}, {right.executor}",
            fix="Compare runs of one graph.",
        )
    layers: list[LayerParity] = []
    first: Difference | None = None
    for name, a in left.spikes.items():
        b = right.spikes[name]
        if a.shape != b.shape:
            raise UsageError(
                f"spikes have shapes {a.shape} and {b.shape}.",
                where=name,
                fix="Compare runs on the same frames.",
            )
        differs = a != b
        layers.append(LayerParity(name, a.size, float(a.mean()), int(differs.sum())))
        if first is None and differs.any():
            step, sample, *index = (int(i) for i in np.argwhere(differs)[0])
            at = (step, sample, *index)
            first = Difference(name, sample, step, tuple(index), int(a[at]), int(b[at]))
    gap = _output_difference(left, right)
    return Parity(left.executor, right.executor, tuple(layers), first, gap)


def _output_difference(left: Record, right: Record) -> float:
    a, b = left.outputs, right.outputs
    if a.shape != b.shape:
        raise UsageError(
            f"outputs have shapes {a.shape} and {b.shape}.",
            where=f"{left.executor}, {right.executor}",
            fix="Compare runs of one graph on the same frames.",
        )
    return float(np.abs(a - b).max()) if a.size else 0.0
