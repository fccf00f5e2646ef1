"""What lowering produces, and its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.core.files import write_json, write_text
from spikeport.targets.lava.calibration import Calibration, calibration_frames
from spikeport.targets.lava.executor import IntegerExecutor
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.quantise import LoweringOptions, QuantisationReport, quantise
from spikeport.targets.lava.retime import Schedule, retime
from spikeport.targets.lava.run import run_in_process
from spikeport.targets.lava.runtime import run_on_lava
from spikeport.targets.lava.slayer import run_on_slayer
from spikeport.targets.lava.summary import summary
from spikeport.targets.lowered import EXACT, Run, Tolerance, chosen_backend, run_executor
from spikeport.targets.stamped import Stamp, damaged

STAMP = Stamp("spikeport-lava", 2, "a Lava artefact")
_NATIVE: dict[str, Callable[[Graph, Tensor], Run]] = {
    "pump": run_in_process,
    "runtime": run_on_lava,
    "slayer": run_on_slayer,
}
GRAPH, REPORT, SCHEDULE, SUMMARY = "graph.spg", "report.json", "schedule.json", "README.txt"


@dataclass(frozen=True)
class LavaArtefact:
    """A network lowered to Lava.

    Attributes:
        graph: whole numbers up to the last neuron, float behind it.
        report: what was approximated and how close to the limits it is.
        schedule: latencies, delay lines and resets.
    """

    target: ClassVar[str] = "lava"
    backends: ClassVar[tuple[str, ...]] = ("integer", "pump", "runtime", "slayer")

    graph: Graph
    report: QuantisationReport
    schedule: Schedule

    @property
    def latency(self) -> int:
        """Steps from the input to the last neuron."""
        return self.schedule.depth

    @property
    def tolerance(self) -> Tolerance:
        """None: whole numbers are the same everywhere."""
        return EXACT

    def integer(self, frames: Tensor, *, spikes: bool = False) -> Run:
        """Run the integer executor on frames `[T, B, *shape]`; see `Lowered.run`."""
        return self.run(frames, backend="integer", spikes=spikes)

    def run(self, frames: Tensor, *, backend: str | None = None, spikes: bool = False) -> Run:
        """Run frames `[T, B, *shape]`: `integer` in torch, `pump` on Lava's process models in
        this process, `runtime` on Lava's own runtime, `slayer` on lava-dl's modules; see
        `Lowered.run`.

        Raises:
            UnknownNameError: there is no such backend.
            UsageError: the frames do not suit the graph.
            MissingPackageError: Lava is not installed.
            LavaRunError: a process failed.
        """
        name = chosen_backend(self, backend)
        if name == "integer":
            return run_executor(self.executor(), frames, name, spikes=spikes)
        ran = _NATIVE[name](self.graph, frames)
        return ran._replace(backend=name, spikes=ran.spikes if spikes else {})

    def executor(self, *, check_values: bool = False) -> IntegerExecutor:
        """The batched executor of this network, made once."""
        return IntegerExecutor(self.graph, check_values=True) if check_values else self._executor

    @cached_property
    def _executor(self) -> IntegerExecutor:
        return IntegerExecutor(self.graph)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `graph.spg`, `report.json`, `schedule.json` and `README.txt`, each atomically.

        Raises:
            FileError: a file cannot be written.
        """
        target = Path(folder)
        self.graph.save(target / GRAPH)
        write_json(target / REPORT, STAMP.on(self.report.as_json()))
        write_json(target / SCHEDULE, STAMP.on(self.schedule.as_json()))
        write_text(target / SUMMARY, summary(self.graph, self.report, self.schedule))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> LavaArtefact:
        """Read an artefact; the schedule is derived anew and compared with the stored one.

        Raises:
            FileError: a file is missing, damaged, of another version, or does not belong.
            UsageError: the graph in the folder has not been lowered to Lava.
        """
        target = Path(folder)
        graph = Graph.load(target / GRAPH)
        lava_metadata(graph)
        schedule = retime(graph)
        if STAMP.read(target / SCHEDULE, "Lava artefact") != STAMP.on(schedule.as_json()):
            raise damaged(target / SCHEDULE, "it does not belong to the graph beside it")
        try:
            report = QuantisationReport.from_json(STAMP.read(target / REPORT, "Lava artefact"))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(target / REPORT, str(error)) from error
        return cls(graph, report, schedule)


def lower(
    graph: Graph,
    calibration: Calibration | None = None,
    *,
    options: LoweringOptions | None = None,
    exponents: Mapping[str, int] | None = None,
    **values: object,
) -> LavaArtefact:
    """Lower a float graph to Lava's fixed point.

    Args:
        graph: as traced; batch norms are folded if they are not yet.
        calibration: what the graph takes: event counts or real frames `[T, B, *shape]`, images
            `[B, *shape]` where it repeats them itself; or batches of them (as a loader gives them,
            with labels or without). Without it `input_max` or `input_range` must tell the largest
            value, and the report holds no measured effects.
        exponents: scales to keep, by stream: `graph.metadata["lava"]["streams"]` of what the same
            network was lowered to before. Chosen if not given.
        options: how; or give the fields of `LoweringOptions` by name, such as `weight_bits=6`.

    Raises:
        UnsupportedError: `check(graph)` finds an error, or no scale leaves enough head-room.
        UsageError: the calibration frames are no counts, or missing where they are needed.
    """
    if values:
        given = options.model_dump(exclude_unset=True) if options else {}
        options = LoweringOptions.of(**(given | values))
    batch_axis = 0 if all(not node.per_step for node in graph.inputs) else 1
    frames = None if calibration is None else calibration_frames(calibration, batch_axis)
    quantised = quantise(graph, frames, options, exponents)
    return LavaArtefact(quantised.graph, quantised.report, retime(quantised.graph))
