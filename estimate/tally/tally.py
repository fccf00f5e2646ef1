"""The tally: exact counts per node, per sample and per time step, streamed over batches."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Graph
from spikeport.core.errors import UsageError
from spikeport.estimate.tally.batch import BatchCounts, Key, Part
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules import plan_for
from spikeport.estimate.tally.terms import Term

Counts = npt.NDArray[np.int64]
_MAX_BLOCKS = 64


class Tally:
    """Counts of one graph over the samples seen so far.

    Kept are whole numbers only: one per (node, data-dependent term) and sample, and their sums
    per time step. Counts do not depend on how samples were split into batches or ordered.

    Args:
        graph: the graph that the executors given to `run` run.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.facts = Facts(graph)
        self.plans: dict[str, NodePlan] = {node.name: plan_for(node, self.facts) for node in graph}
        self.steps: int | None = None
        """Time steps T of the samples; None before the first (0: the graph has no time)."""
        self.samples = 0
        self._per_sample: dict[Key, list[Counts]] = {}
        self._per_step: dict[Key, Counts] = {}
        self._readers = self._by_source()

    def run(self, executor: Executor, frames: Tensor) -> Tensor:
        """Run one batch and count it; nothing is counted if the run fails.

        Args:
            executor: runs this tally's graph.
            frames: what the executor takes, `[T, B, *shape]` or `[B, *shape]`.

        Returns:
            the executor's output.

        Raises:
            UsageError: frames are not of the declared domain, T differs from earlier batches, or
                the executor did not show an edge that is counted.
        """
        batch = BatchCounts(self._readers)
        output = executor.run(frames, batch.tap)
        self._commit(batch)
        return output

    def total(self, name: str, term: Term) -> int:
        """A node's count over all samples and steps."""
        fixed = self.plans[name].fixed(term, self.steps or 0) * self.samples
        measured = self._per_step.get((name, term))
        return fixed + (0 if measured is None else int(measured.sum()))

    def per_sample(self, name: str, term: Term) -> Counts:
        """A node's count for each sample, in the order seen: `[samples]`."""
        fixed = self.plans[name].fixed(term, self.steps or 0)
        blocks = self._per_sample.get((name, term))
        measured = np.concatenate(blocks) if blocks else np.zeros(self.samples, dtype=np.int64)
        return measured + np.int64(fixed)

    def per_step(self, name: str, term: Term) -> tuple[int, ...]:
        """A node's count over all samples for each step, and last what happens once per sample."""
        plan, steps = self.plans[name], self.steps or 0
        measured = self._per_step.get((name, term), np.zeros(steps + 1, dtype=np.int64))
        fixed = [plan.per_step.get(term, 0)] * steps + [plan.once.get(term, 0)]
        return tuple(
            int(part) + each * self.samples for part, each in zip(measured, fixed, strict=True)
        )

    def input_rate(self, name: str) -> Fraction:
        """Events per input element and step, over all samples; 0 before the first."""
        sites = self.total(name, Term.SITES)
        return Fraction(self.total(name, Term.EVENTS_IN), sites) if sites else Fraction(0)

    def merged(self, other: Tally) -> Tally:
        """Both tallies' samples, this one's first. Exact and associative.

        Raises:
            UsageError: the other counts another graph or another number of steps.
        """
        if self._signature() != other._signature():
            raise UsageError(
                "these two tallies count different graphs.", fix="Merge runs of one network only."
            )
        parts = [part for part in (self, other) if part.samples]
        if len({part.steps for part in parts}) > 1:
            raise _other_steps(self.steps or 0, other.steps or 0)
        result = Tally(self.graph)
        for part in parts:
            result._extend(part.steps or 0, part.samples, part._per_sample, part._per_step)
        return result

    @classmethod
    def over(cls, executor: Executor, batches: Iterable[Tensor]) -> Self:
        """Tally of all batches of frames."""
        tally = cls(executor.graph)
        for frames in batches:
            tally.run(executor, frames)
        return tally

    def _by_source(self) -> dict[str, list[Part]]:
        readers: dict[str, list[Part]] = {}
        for name, plan in self.plans.items():
            for measure in plan.measures:
                for port, source in enumerate(measure.sources):
                    readers.setdefault(source, []).append((name, measure, port))
        for parts in readers.values():
            # Coarser sums are then taken from finer ones instead of from the edge.
            parts.sort(key=lambda part: -len(part[1].reductions[part[2]].keep))
        return {node.name: readers.get(node.name, []) for node in self.graph}

    def _commit(self, batch: BatchCounts) -> None:
        counts = batch.counts()
        if self.steps is not None and batch.steps != self.steps:
            raise _other_steps(self.steps, batch.steps)
        per_sample: dict[Key, list[Counts]] = {}
        per_step: dict[Key, Counts] = {}
        for key, (tensor, has_time) in counts.items():
            values = tensor.cpu().numpy()
            per_sample[key] = [values.sum(0)]
            per_step[key] = np.zeros(batch.steps + 1, dtype=np.int64)
            # What is measured once per sample has no step; it comes last.
            per_step[key][slice(batch.steps) if has_time else slice(batch.steps, None)] = (
                values.sum(1)
            )
        self._extend(batch.steps, batch.samples, per_sample, per_step)

    def _extend(
        self,
        steps: int,
        samples: int,
        per_sample: dict[Key, list[Counts]],
        per_step: dict[Key, Counts],
    ) -> None:
        self.steps = steps
        self.samples += samples
        for key, blocks in per_sample.items():
            kept = self._per_sample.setdefault(key, [])
            kept.extend(blocks)
            # Many small arrays cost more than their numbers.
            if len(kept) > _MAX_BLOCKS:
                kept[:] = [np.concatenate(kept)]
        for key, sums in per_step.items():
            before = self._per_step.get(key)
            self._per_step[key] = sums.copy() if before is None else before + sums

    def _signature(self) -> list[object]:
        return [
            (
                *(node.name, node.op.kind, node.inputs, node.shape, node.domain),
                *(plan.status, dict(plan.per_step), dict(plan.once)),
            )
            for node, plan in ((node, self.plans[node.name]) for node in self.graph)
        ]


def _other_steps(first: int, other: int) -> UsageError:
    return UsageError(
        f"samples of T = {first} and of T = {other} steps cannot be counted together.",
        where="frames",
        fix="Frame all samples for the same number of time steps.",
    )
