"""What lowering to NIR produces, and its folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from pydantic import ValidationError
from torch import Tensor

from spikeport.convert.check import Status, rewritten
from spikeport.convert.frames import check_frames
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.files import readable_file, write_bytes, write_json, write_text
from spikeport.targets.lowered import Run, Tolerance, chosen_backend, run_executor
from spikeport.targets.nir.check import check
from spikeport.targets.nir.mark import KEY, parse_mark
from spikeport.targets.nir.options import NirOptions
from spikeport.targets.nir.proof import prove, sample_frames
from spikeport.targets.nir.reading import SUFFIX, read, read_marked
from spikeport.targets.nir.reading.files import BYTES_LIMIT
from spikeport.targets.nir.report import NirReport, changes
from spikeport.targets.nir.requirements import PASSES, Requirements
from spikeport.targets.nir.spikingjelly import NAME as SPIKINGJELLY
from spikeport.targets.nir.spikingjelly import objections, run_spikingjelly
from spikeport.targets.nir.summary import summary
from spikeport.targets.nir.writing import file_content, written
from spikeport.targets.stamped import damaged

MODEL, REPORT, SUMMARY = f"model{SUFFIX}", "report.json", "README.txt"
FORMAT = {"format": "spikeport-nir", "version": 1}


@dataclass(frozen=True)
class NirLowered:
    """A network in NIR.

    Attributes:
        content: the bytes of the file.
        graph: as it is read back from them; it takes what the graph takes that was lowered.
        report: what is not written as it was, and the proof.
    """

    target: ClassVar[str] = "nir"
    latency: ClassVar[int] = 0
    # Float64; other machines add in another order.
    tolerance: ClassVar[Tolerance] = Tolerance(1e-5, 1e-9)

    content: bytes
    graph: Graph
    report: NirReport

    @cached_property
    def backends(self) -> tuple[str, ...]:
        """`nir` reads the file and interprets it; `spikingjelly` where its importer takes it."""
        others = () if any(objections(self.graph, self.report.mark)) else (SPIKINGJELLY,)
        return ("nir", *others)

    def run(self, frames: Tensor, *, backend: str | None = None, spikes: bool = False) -> Run:
        """Run frames `[T, B, *shape]`, or images `[B, *shape]` if the graph takes them, in float64.

        Raises:
            UnknownNameError: there is no such backend.
            UsageError: the frames do not suit the graph.
        """
        name = chosen_backend(self, backend)
        interpreter = Interpreter(self.graph, torch.float64)
        if name == SPIKINGJELLY:
            check_frames(self.graph, frames, torch.float64)
            mark = self.report.mark
            return run_spikingjelly(self.content, self.graph, mark, frames, spikes=spikes)
        return run_executor(interpreter, frames, name, spikes=spikes)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `model.nir`, `report.json` and `README.txt`, each atomically.

        Raises:
            FileError: a file cannot be written.
        """
        target = Path(folder)
        write_bytes(target / MODEL, self.content)
        write_json(target / REPORT, FORMAT | self.report.as_json())
        told = summary(self.graph, self.report, on_spikingjelly=SPIKINGJELLY in self.backends)
        write_text(target / SUMMARY, told)


def load(folder: str | os.PathLike[str]) -> NirLowered:
    """Read what `save` wrote.

    Raises:
        FileError: a file is missing, damaged, or does not belong to the other.
    """
    target = Path(folder)
    path = readable_file(target / MODEL, "NIR file")
    if path.stat().st_size > BYTES_LIMIT:
        raise damaged(path, f"it is larger than {BYTES_LIMIT:,} bytes")
    content = path.read_bytes()
    report = _report(readable_file(target / REPORT, "NIR report"))
    graph, mark = read_marked(content)
    if mark != report.mark:
        raise damaged(target / REPORT, "it does not belong to the file beside it")
    return NirLowered(content, _certified(graph, report), report)


def _certified(graph: Graph, report: NirReport) -> Graph:
    """The graph with the certificate of the one that was lowered."""
    if report.certificate is not None:
        graph.metadata["float_certificate"] = report.certificate
    return graph


def _report(path: Path) -> NirReport:
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict) or any(
            value.get(key) != said for key, said in FORMAT.items()
        ):
            raise damaged(path, "it is no report of this version")
        return NirReport.model_validate({key: value[key] for key in value.keys() - FORMAT.keys()})
    except (ValidationError, ValueError) as error:
        raise damaged(path, str(error).splitlines()[0][:200]) from error


def lower(graph: Graph, frames: Tensor | None = None, **options: object) -> NirLowered:
    """Write a graph in NIR, read it back, and prove that both emit the same spikes.

    Args:
        graph: as traced; batch norms are folded if they are not yet.
        frames: what the graph takes, to prove it on; drawn at random if not given.
        options: those of `NirOptions`, such as `expand_residuals=True`.

    Raises:
        UnsupportedError: `check(graph, **options)` finds an error.
        UsageError: an option is unknown or out of range.
        CheckFailed: what is read back emits other spikes.
    """
    chosen = NirOptions.of(**options)
    requirements = Requirements(rewritten(graph, PASSES).graph, chosen)
    network = written(requirements)
    content = file_content(network)
    back = read(content)
    done = changes(check(graph, **options))
    proof = prove(
        graph,
        back,
        sample_frames(graph) if frames is None else frames,
        exact=all(change.status is not Status.APPROXIMATE for change in done),
        generated=frames is None,
    )
    report = NirReport(
        options=chosen,
        mark=parse_mark(network.metadata[KEY]),
        changes=done,
        proof=proof,
        certificate=graph.metadata.get("certificate"),
    )
    return NirLowered(content, _certified(back, report), report)
