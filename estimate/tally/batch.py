"""The counts of one batch, taken while it passes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Input
from spikeport.core.errors import UsageError
from spikeport.estimate.tally.edge import Edge, Reduction
from spikeport.estimate.tally.exact import Counts
from spikeport.estimate.tally.plan import Measure
from spikeport.estimate.tally.terms import Term

Key = tuple[str, Term]
"""(node, what is counted of it)."""

Part = tuple[str, Measure, int]
"""(node that is counted, its measure, which of the measure's sources)."""


@dataclass(frozen=True, eq=False)
class Counted:
    """What one batch adds to a tally; small enough to send between processes.

    Attributes:
        steps: time steps T; 0: the graph has no time.
        per_sample: `[B, K]`, K data-dependent counts.
        per_step: `[T + 1, K]`, over the samples; last what is measured once per sample.
        names: of the samples, see `Resamples`.
        by_step: `[T + 1, B, K]`, of each sample at each step; None unless asked for.
    """

    steps: int
    per_sample: Counts
    per_step: Counts
    names: tuple[str, ...]
    by_step: Counts | None = None

    def without_steps(self) -> Counted:
        """What a tally adds, alone."""
        return replace(self, by_step=None)


class BatchCounts:
    """The counts of one batch while it runs.

    Args:
        readers: by node, what is counted of its output.
        repeated: counts whose sources exist once per sample and are read at each step.
    """

    def __init__(self, readers: dict[str, list[Part]], repeated: frozenset[Key]) -> None:
        self._readers, self._repeated = readers, repeated
        self._reduced: dict[Key, dict[int, Tensor]] = {}
        self._measures: dict[Key, Measure] = {}
        self._seen: set[str] = set()
        self._stepped: set[str] = set()
        self.steps = 0
        self.samples = 0

    def tap(self, node: Node, value: Tensor) -> None:
        if node.name not in self._readers:
            raise UsageError(
                "the executor showed a node that the counted graph does not have.",
                where=node.path or node.name,
                fix="Tally the graph that the executor runs: Tally(executor.graph).",
            )
        if isinstance(node.op, Input):
            _check_declared(node, value)
            self.samples = value.shape[1 if node.per_step else 0]
        self._seen.add(node.name)
        if node.per_step:
            self._stepped.add(node.name)
            self.steps = value.shape[0]
        parts = self._readers[node.name]
        if not parts:
            return
        edge = Edge(node, value)
        # Counts of one layer share reductions, as do a neuron's spikes and resets.
        results: dict[Reduction, Tensor] = {}
        for name, measure, port in parts:
            key, reduction = (name, measure.term), measure.reductions[port]
            if reduction not in results:
                results[reduction] = reduction(edge)
            self._measures[key] = measure
            self._reduced.setdefault(key, {})[port] = results[reduction]

    def counted(
        self, keys: tuple[Key, ...], names: tuple[str, ...], *, by_step: bool = False
    ) -> Counted:
        """The counts as arrays, one column per key."""
        counts = self._counts()
        shape = (self.steps + 1, self.samples, len(keys))
        single = np.zeros(shape, dtype=np.int64) if by_step else None
        per_sample = np.zeros(shape[1:], dtype=np.int64)
        per_step = np.zeros((shape[0], len(keys)), dtype=np.int64)
        for column, key in enumerate(keys):
            tensor, has_time = counts[key]
            values = tensor.cpu().numpy()
            per_sample[:, column] = values.sum(0)
            steps = slice(self.steps) if has_time else slice(self.steps, None)
            per_step[steps, column] = values.sum(1)
            if single is not None:
                single[steps, :, column] = values
        return Counted(self.steps, per_sample, per_step, names, single)

    def _counts(self) -> dict[Key, tuple[Tensor, bool]]:
        """By node and term: int64 `[T, B]` and whether its first axis is time."""
        for source, parts in self._readers.items():
            if parts and source not in self._seen:
                raise UsageError(
                    "the executor did not show this edge, so it cannot be counted.",
                    where=source,
                    fix="Use an executor that calls the tap once for each node of its graph.",
                )
        found: dict[Key, tuple[Tensor, bool]] = {}
        for key, measure in self._measures.items():
            counts = measure([self._reduced[key][port] for port in range(len(measure.sources))])
            has_time = any(source in self._stepped for source in measure.sources)
            if key in self._repeated:
                counts, has_time = counts.expand(self.steps, -1), True
            found[key] = counts, has_time
        return found


def _check_declared(node: Node, value: Tensor) -> None:
    """Refuse input that breaks the domain it was declared with: every count rests on it."""
    if not torch.isfinite(value).all():
        raise UsageError("the frames hold NaN or infinity.", where=node.name)
    whole = not node.domain.is_whole or bool((value == value.round()).all())
    binary = node.domain is not Domain.SPIKE or bool(((value == 0) | (value == 1)).all())
    if not (whole and binary):
        raise UsageError(
            f"the input is declared {node.domain.value}, but a frame holds other values.",
            where=node.name,
            fix="Trace with the domain that the frames have (event counts: graded; images and "
            "normalised frames: real), or prepare the frames as declared.",
        )
