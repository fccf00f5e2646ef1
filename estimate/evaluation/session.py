"""One executor at work: what each batch gives, and what is kept of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.executor import Executor, Watch
from spikeport.convert.frames import repeats
from spikeport.convert.graph import Graph, Node
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.evaluation.answers import Accuracy, Judged, answers, judge
from spikeport.estimate.evaluation.readout import ReadOut
from spikeport.estimate.evaluation.records import Arrays, Records
from spikeport.estimate.evaluation.steps import StepCharge, depends_on_all_steps
from spikeport.estimate.progress import Kept
from spikeport.estimate.tally.batch import Counted
from spikeport.estimate.tally.counter import Counter
from spikeport.estimate.tally.tally import Tally

Batch = tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Sequence[object]]
"""(frames as the executors take them, labels `[B]`, names of the samples)."""

WATCHED_BYTES = 1 << 30
"""Size of all values of a run that is watched: some executors hold them until it ends."""


@dataclass(frozen=True)
class Wanted:
    """What is to be found out beside the answers.

    Attributes:
        energy: model to charge by; None counts nothing.
        curve: the answers after each step, too.
        seed: of the bootstrap.
    """

    energy: EnergyModel | None = None
    curve: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """What one batch gave on one executor.

    Attributes:
        judged: answers.
        steps: answers after each step; empty unless the curve is wanted.
        counted: counts, by piece of the batch; empty if nothing is counted.
    """

    judged: Judged
    steps: Arrays
    counted: tuple[Counted, ...]


@dataclass(frozen=True, eq=False)
class Running:
    """Runs batches on one executor, here or in another process.

    Nobody watches the run where only answers are wanted.
    """

    executor: Executor
    read_out: ReadOut | None = None
    counter: Counter | None = None
    charge: StepCharge | None = None

    def __call__(self, frames: Tensor, labels: Tensor, names: Sequence[object]) -> Found:
        """Run one batch.

        Raises:
            UsageError: frames, labels or scores do not fit.
        """
        if self.counter is None and self.read_out is None:
            return Found(judge(self.executor.run(frames), labels), {}, ())
        ran = [self._watched(*part) for part in self._parts(frames, names)]
        (last,) = self.executor.graph.outputs
        axis = 1 if self.executor.graph[last].per_step else 0
        return Found(
            judge(torch.cat([each.output for each in ran], axis), labels),
            {} if self.read_out is None else _joined([each.steps for each in ran]),
            tuple(each.counted for each in ran if each.counted is not None),
        )

    def _watched(self, frames: Tensor, names: Sequence[object]) -> _Ran:
        reads: frozenset[str] = frozenset() if self.read_out is None else self.read_out.reads
        values: dict[str, Tensor] = {}

        def keep(node: Node, value: Tensor) -> None:
            if node.name in reads:
                values[node.name] = value.detach().clone()

        counted = None
        if self.counter is None:
            output = self.executor.run(frames, Watch(reads, keep))
        else:
            output, counted = self.counter.tally.count(
                self.executor, frames, names, beside=keep, by_step=self.charge is not None
            )
        steps = self._after_each(values, output, counted)
        # The counts of single steps are not needed any more.
        slim = None if counted is None else counted.without_steps()
        return _Ran(output, slim, steps)

    def _after_each(
        self, values: Mapping[str, Tensor], output: Tensor, counted: Counted | None
    ) -> Arrays:
        if self.read_out is None:
            return {}
        predictions, confidences, _ = answers(self.read_out.scores(values, output))
        found = {"predictions": predictions.T, "confidences": confidences.T}
        if self.charge is not None and counted is not None and counted.by_step is not None:
            found["picojoule"] = self.charge.up_to(counted.by_step)
        return found

    def _parts(
        self, frames: Tensor, names: Sequence[object]
    ) -> list[tuple[Tensor, Sequence[object]]]:
        """The batch in pieces that can be watched."""
        graph = self.executor.graph
        axis = 1 if graph.input.per_step else 0
        steps = len(frames) if graph.input.per_step else max(repeats(graph), default=1)
        at_once = max(1, WATCHED_BYTES // _bytes(graph, steps))
        return [
            (part, names[start : start + at_once])
            for start, part in zip(
                range(0, frames.shape[axis], at_once),
                torch.split(frames, at_once, axis),
                strict=True,
            )
        ]


class Session:
    """One executor on all batches: what runs them, and what is kept of each.

    Raises:
        UnsupportedError: the curve is wanted, and the network has no answer after fewer steps.
    """

    def __init__(self, executor: Executor, wanted: Wanted) -> None:
        self.executor = executor
        graph = executor.graph
        self.accuracy, self.steps = Accuracy(), Records()
        self.read_out = ReadOut.of(graph) if wanted.curve else None
        self.tally = None if wanted.energy is None else Tally(graph, seed=wanted.seed)
        self.energies = (
            None
            if self.tally is None or wanted.energy is None
            else Energies(self.tally, wanted.energy)
        )
        self.late = () if self.tally is None else depends_on_all_steps(self.tally)
        by_step = self.read_out is not None and not self.late
        self.running = Running(
            executor,
            self.read_out,
            None if self.tally is None else Counter(self.tally),
            StepCharge(self.energies) if by_step and self.energies else None,
        )

    @property
    def kept(self) -> dict[str, Kept]:
        """What a run that goes on later needs, by name."""
        parts: dict[str, Kept] = {"answers": self.accuracy}
        if self.read_out is not None:
            parts["steps"] = self.steps
        if self.tally is not None:
            parts["tally"] = self.tally
        return parts

    def add(self, index: int, found: Found) -> None:
        """Take what batch `index` gave, in any order of batches; nothing of it if that fails.

        Raises:
            UsageError: see `Tally.add`.
        """
        if self.tally is not None:
            self.tally.add(*found.counted)
        if self.read_out is not None:
            self.steps.add(index, found.steps)
        self.accuracy.put(index, found.judged)


@dataclass(frozen=True, eq=False)
class Evaluating:
    """What is done to each batch: the names of its samples, and what each executor finds.

    Not beside `evaluate`: what a worker imports delays its first batch.
    """

    running: Mapping[str, Running]

    def __call__(self, index: int, batch: Batch) -> tuple[list[str], dict[str, Found]]:
        frames, labels = batch[0], batch[1]
        names = batch[2] if len(batch) == 3 else [f"{index}.{at}" for at in range(len(labels))]
        found = {name: running(frames, labels, names) for name, running in self.running.items()}
        return [str(each) for each in names], found


@dataclass(frozen=True, eq=False)
class _Ran:
    output: Tensor
    counted: Counted | None
    steps: Arrays


def _joined(parts: Sequence[Arrays]) -> Arrays:
    joined = Records()
    for index, part in enumerate(parts):
        joined.add(index, part)
    return joined.joined()


def _bytes(graph: Graph, steps: int) -> int:
    """Of all values of one sample in float32."""
    return sum(4 * math.prod(node.shape) * (steps if node.per_step else 1) for node in graph)
