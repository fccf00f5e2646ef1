"""The tally: exact counts per node and per time step, streamed over batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from spikeport.convert.executor import Executor, Tap
from spikeport.convert.graph import Graph, Node
from spikeport.core.errors import UsageError
from spikeport.estimate.stats import Method, Statistics, summary
from spikeport.estimate.tally.batch import BatchCounts, Counted, Key, Part
from spikeport.estimate.tally.exact import Counts
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.moments import Moments, check_range
from spikeport.estimate.tally.plan import Measure, NodePlan
from spikeport.estimate.tally.resamples import Resamples, names_of
from spikeport.estimate.tally.rules import plan_for
from spikeport.estimate.tally.terms import Term

if TYPE_CHECKING:
    import pandas as pd

    from spikeport.estimate.tally.ledger import Ledger


class Tally:
    """Counts of one graph over the samples seen so far.

    Kept are whole numbers only: for K data-dependent counts their sums per time step, the sums of
    their products (`Moments`) and over 1000 resamples (`Resamples`), 24 K^2 + 8000 K bytes; 2.5 MB
    for a CIFAR Max-Former (K = 196). None grows with the number of samples. None depends on how
    samples were split into batches or ordered.

    Args:
        graph: the graph that the executors given to `run` run.
        keep: keep the counts of each sample too: 8 K bytes per sample.
        seed: of the bootstrap.
    """

    def __init__(self, graph: Graph, *, keep: bool = False, seed: int = 0) -> None:
        self.graph, self.keep, self.seed = graph, keep, seed
        self.facts = Facts(graph)
        self.plans: dict[str, NodePlan] = {node.name: plan_for(node, self.facts) for node in graph}
        self.keys: tuple[Key, ...] = tuple(
            (name, measure.term) for name, plan in self.plans.items() for measure in plan.measures
        )
        """The data-dependent counts, in the order of all arrays here."""
        self.steps: int | None = None
        """Time steps T of the samples; None before the first (0: the graph has no time)."""
        self.samples = 0
        self._columns = {key: index for index, key in enumerate(self.keys)}
        self._per_step = np.zeros((1, len(self.keys)), dtype=np.int64)
        self._moments = Moments(len(self.keys))
        self._resamples = Resamples(len(self.keys), seed)
        self._rows: list[Counts] = []
        self._readers = self._by_source()
        self._repeated = self._find_repeated()

    def run(
        self, executor: Executor, frames: Tensor, names: Sequence[object] | None = None
    ) -> Tensor:
        """Run one batch and count it; nothing is counted if the run fails.

        Args:
            executor: runs this tally's graph.
            frames: what the executor takes, `[T, B, *shape]` or `[B, *shape]`.
            names: of the samples, such as indices in the data set; the bootstrap draws by them.
                By default the order of the samples decides about the draw.

        Returns:
            the executor's output.

        Raises:
            UsageError: frames are not of the declared domain, T differs from earlier batches, or
                the executor did not show an edge that is counted.
        """
        output, counted = self.count(executor, frames, names)
        self.add(counted)
        return output

    def count(
        self,
        executor: Executor,
        frames: Tensor,
        names: Sequence[object] | None = None,
        *,
        beside: Tap | None = None,
        by_step: bool = False,
    ) -> tuple[Tensor, Counted]:
        """Like `run`, but leaves the tally as it is; `add` takes the counts in any order.

        Args:
            beside: shown every edge, too.
            by_step: also tell the counts of each sample at each step.
        """
        batch = BatchCounts(self._readers, self._repeated)
        output = executor.run(frames, batch.tap if beside is None else _both(batch.tap, beside))
        axis = 1 if self.graph.input.per_step else 0
        if names is None:
            names = names_of(frames, axis, self.samples)
        elif len(names) != frames.shape[axis]:
            raise UsageError(
                f"{len(names)} names were given for {frames.shape[axis]} samples.", where="names"
            )
        named = tuple(str(each) for each in names)
        return output, batch.counted(self.keys, named, by_step=by_step)

    def add(self, *pieces: Counted) -> None:
        """Add the counts of one batch, in one piece or more: all of them, or none if it fails.

        Raises:
            UsageError: T differs from earlier batches, or sums would be inexact.
        """
        steps, samples = self.steps, self.samples
        for piece in pieces:
            if steps is not None and piece.steps != steps:
                raise _other_steps(steps, piece.steps)
            steps, samples = piece.steps, samples + len(piece.per_sample)
            check_range(piece.per_sample, samples)
        for piece in pieces:
            self._add(piece)

    def _add(self, counted: Counted) -> None:
        if self.steps is None:
            self._per_step = np.zeros_like(counted.per_step)
        self.steps = counted.steps
        self.samples += len(counted.per_sample)
        self._per_step += counted.per_step
        self._moments.add(counted.per_sample)
        self._resamples.add(counted.names, counted.per_sample)
        if self.keep:
            self._rows.append(counted.per_sample)

    def total(self, name: str, term: Term) -> int:
        """A node's count over all samples and steps."""
        fixed = self.plans[name].fixed(term, self.steps or 0) * self.samples
        column = self._columns.get((name, term))
        return fixed + (0 if column is None else int(self._per_step[:, column].sum()))

    def sample_counts(self, name: str, term: Term) -> Counts:
        """A node's count for each sample, in the order seen: `[samples]`.

        Raises:
            UsageError: samples were not kept.
        """
        fixed = np.int64(self.plans[name].fixed(term, self.steps or 0))
        column = self._columns.get((name, term))
        if column is None:
            return np.full(self.samples, fixed)
        measured: Counts = self._kept()[:, column] + fixed
        return measured

    def per_step(self, name: str, term: Term) -> tuple[int, ...]:
        """A node's count over all samples for each step, and last what happens once per sample."""
        plan, steps = self.plans[name], self.steps or 0
        column = self._columns.get((name, term))
        measured = [0] * (steps + 1) if column is None else self._per_step[:, column].tolist()
        fixed = [plan.per_step.get(term, 0)] * steps + [plan.once.get(term, 0)]
        return tuple(part + each * self.samples for part, each in zip(measured, fixed, strict=True))

    def input_rate(self, name: str) -> Fraction:
        """Events per input element and step, over all samples; 0 before the first."""
        sites = self.total(name, Term.SITES)
        return Fraction(self.total(name, Term.EVENTS_IN), sites) if sites else Fraction(0)

    def statistics(
        self, coefficients: Mapping[Key, Fraction | int], method: Method = "bootstrap"
    ) -> Statistics:
        """Mean, standard deviation and 95 % interval of a weighted sum of counts per sample.

        Mean and variance are exact fractions until they are rounded to floats.

        Args:
            coefficients: by node and term.
            method: how the interval is found, see `spikeport.estimate.stats`.

        Raises:
            UsageError: there is no sample.
            UnknownNameError: no interval method has this name.
        """
        if not self.samples:
            raise UsageError("this tally holds no sample.", where="tally", fix="Run a batch first.")
        total = sum((c * self.total(*key) for key, c in coefficients.items()), Fraction(0))
        mean = total / self.samples
        measured = {
            self._columns[key]: c for key, c in coefficients.items() if key in self._columns
        }
        columns = list(measured)
        fractions = [Fraction(each) for each in measured.values()]
        sums = self._per_step.sum(0)[columns].tolist()
        varying = sum((c * s for c, s in zip(fractions, sums, strict=True)), Fraction(0))
        fixed = float(mean - varying / self.samples)
        return summary(
            float(mean),
            float(self._variance(columns, fractions, varying)),
            self.samples,
            lambda: self._resamples.means(columns, [float(c) for c in fractions]) + fixed,
            method,
        )

    def merge(self, other: Tally) -> Tally:
        """Both tallies' samples, this one's first, as a new tally. Exact and associative.

        Raises:
            UsageError: the other counts another graph or another number of steps, draws its
                resamples by another seed, or only one of them keeps its samples.
        """
        if self._signature() != other._signature():
            raise UsageError(
                "these two tallies count different graphs.", fix="Merge runs of one network only."
            )
        if (self.seed, self.keep) != (other.seed, other.keep):
            raise UsageError(
                "these two tallies differ in their seed, or in whether they keep samples.",
                fix="Count both in the same way.",
            )
        result = Tally(self.graph, keep=self.keep, seed=self.seed)
        for part in (self, other):
            if part.samples:
                result._absorb(part)
        return result

    @property
    def layers(self) -> pd.DataFrame:
        """One row per counted node, figures per sample: the columns of `layers.csv` that need no
        energy model; see `spikeport.estimate.columns`."""
        # Tables are made of tallies, so not at the top.
        from spikeport.estimate.counts import CountTables

        return CountTables(self).layers()

    @property
    def per_sample(self) -> pd.DataFrame:
        """One row per sample and counted node; see `rows.SAMPLE_COLUMNS`.


        Raises:
            UsageError: samples were not kept.
        """
        from spikeport.estimate.tally.rows import sample_rows

        return sample_rows(self, self._kept())

    @property
    def ledger(self) -> Ledger:
        """Every node: counted, zero by rule, or UNCOUNTED."""
        from spikeport.estimate.tally.ledger import Ledger

        return Ledger.of(self)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All that was counted, but kept samples, as arrays; `restore` takes it."""
        return {
            "extent": np.array([-1 if self.steps is None else self.steps, self.samples]),
            "per_step": self._per_step,
            "moments": self._moments.digits,
            "resample_sums": self._resamples.sums,
            "resample_sizes": self._resamples.sizes,
        }

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned for a tally of the same graph.

        Raises:
            ValueError: the arrays do not fit this tally.
        """
        steps, samples = (int(each) for each in state["extent"])
        wanted = self.state()
        wanted["per_step"] = np.zeros((max(steps, 0) + 1, len(self.keys)), dtype=np.int64)
        for name, array in wanted.items():
            if state[name].shape != array.shape or state[name].dtype != np.int64:
                raise ValueError(f"{name} does not fit")
        self.steps, self.samples = (None if steps < 0 else steps), samples
        self._per_step = state["per_step"].copy()
        self._moments.digits = state["moments"].copy()
        self._resamples.sums = state["resample_sums"].copy()
        self._resamples.sizes = state["resample_sizes"].copy()

    @classmethod
    def over(
        cls, executor: Executor, batches: Iterable[Tensor], *, keep: bool = False, seed: int = 0
    ) -> Self:
        """Tally of all batches of frames."""
        tally = cls(executor.graph, keep=keep, seed=seed)
        for frames in batches:
            tally.run(executor, frames)
        return tally

    def _kept(self) -> Counts:
        if not self.keep:
            raise UsageError(
                "the counts of single samples were not kept.",
                where="tally",
                fix="Ask for them: spikeport.tally(graph, loader, per_sample=True).",
            )
        # Many small arrays cost more than their numbers.
        self._rows = [np.concatenate([np.zeros((0, len(self.keys)), np.int64), *self._rows])]
        return self._rows[0]

    def _variance(self, columns: list[int], fractions: list[Fraction], total: Fraction) -> Fraction:
        """Of a weighted sum of measured counts, with n - 1; exact."""
        if self.samples < 2 or not columns:
            return Fraction(0)
        unit = np.lcm.reduce([c.denominator for c in fractions], dtype=object)
        weights = np.array([int(c * unit) for c in fractions], dtype=object)
        squares = weights @ self._moments.products(columns) @ weights
        spread = Fraction(int(squares), int(unit) ** 2) - total**2 / self.samples
        return spread / (self.samples - 1)

    def _absorb(self, part: Tally) -> None:
        if self.steps is not None and part.steps != self.steps:
            raise _other_steps(self.steps, part.steps or 0)
        check_range(np.zeros(0, dtype=np.int64), self.samples + part.samples)
        if self.steps is None:
            self._per_step = np.zeros_like(part._per_step)
        self.steps = part.steps
        self.samples += part.samples
        self._per_step += part._per_step
        self._moments.digits += part._moments.digits
        self._resamples.sums += part._resamples.sums
        self._resamples.sizes += part._resamples.sizes
        self._rows += part._rows

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

    def _find_repeated(self) -> frozenset[Key]:
        """Counts of nodes that read at each step what exists once per sample."""
        return frozenset(
            (name, measure.term)
            for name, plan in self.plans.items()
            for measure in plan.measures
            if self.graph[name].per_step
            and not any(self.graph[source].per_step for source in measure.sources)
        )

    def _signature(self) -> list[object]:
        return [
            (
                *(node.name, node.op.kind, node.inputs, node.shape, node.domain),
                *(plan.status, dict(plan.per_step), dict(plan.once)),
                *(_counted_by(measure) for measure in plan.measures),
            )
            for node, plan in ((node, self.plans[node.name]) for node in self.graph)
        ]


def _counted_by(measure: Measure) -> tuple[object, ...]:
    """What decides about a count beside the data: what weights of zero leave out, too."""
    return (
        measure.term,
        measure.sources,
        *((each.keep, each.magnitude, _digest(each.weights)) for each in measure.reductions),
    )


def _digest(weights: Tensor | None) -> str | None:
    return None if weights is None else sha256(weights.cpu().numpy().tobytes()).hexdigest()


def _both(first: Tap, second: Tap) -> Tap:
    def tap(node: Node, value: Tensor) -> None:
        first(node, value)
        second(node, value)

    return tap


def _other_steps(first: int, other: int) -> UsageError:
    return UsageError(
        f"samples of T = {first} and of T = {other} steps cannot be counted together.",
        where="frames",
        fix="Frame all samples for the same number of time steps.",
    )
