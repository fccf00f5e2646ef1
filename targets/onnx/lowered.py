"""What lowering produces, and its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import ClassVar, cast

from onnx import ModelProto
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.core.files import write_bytes, write_json, write_text
from spikeport.targets.lowered import FLOAT32, Run, Tolerance, chosen_backend
from spikeport.targets.onnx.executor import OnnxExecutor
from spikeport.targets.onnx.files import prepared, step_model, unrolled_model
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.reading import read_folder
from spikeport.targets.onnx.report import OnnxReport
from spikeport.targets.onnx.running import StepRunner, UnrolledRunner
from spikeport.targets.onnx.steps import chosen_steps
from spikeport.targets.onnx.summary import summary

GRAPH, REPORT, SUMMARY = "graph.spg", "report.json", "README.txt"
UNROLLED, STEP = "onnxruntime", "onnxruntime-step"
FLOAT64 = Tolerance(0.0, 1e-9)
"""No membrane is that close to its threshold but by design; sums differ in their order."""


@dataclass(frozen=True, eq=False)
class OnnxLowered:
    """A network in ONNX.

    Attributes:
        graph: what was written; its nodes give the values of both models their names.
        unrolled: `frames [T, B, *shape]` (an image: `[B, *shape]`) -> output.
        step: `(frame, states...) -> (output, states'...)`; None if it was not asked for.
    """

    target: ClassVar[str] = "onnx"
    latency: ClassVar[int] = 0

    graph: Graph
    report: OnnxReport
    unrolled: ModelProto
    step: ModelProto | None

    def __getstate__(self) -> dict[str, object]:
        # Sessions of onnxruntime stay where they are; another process opens its own.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def backends(self) -> tuple[str, ...]:
        return (UNROLLED,) if self.step is None else (UNROLLED, STEP)

    @property
    def tolerance(self) -> Tolerance:
        return FLOAT64 if self.report.dtype == "float64" else FLOAT32

    def run(self, frames: Tensor, *, backend: str | None = None, spikes: bool = False) -> Run:
        """Run a batch in onnxruntime: `onnxruntime` on the unrolled graph, whose T the frames must
        have; `onnxruntime-step` on the step graph, step by step; see `Lowered.run`.

        Raises:
            UnknownNameError: there is no such backend.
            UsageError: the frames do not suit the graph.
            MissingPackageError: onnxruntime is not installed.
            OnnxRunError: onnxruntime failed.
        """
        name = chosen_backend(self, backend)
        kept: dict[str, Tensor] = {}

        def keep(node: str, value: Tensor) -> None:
            kept[node] = value.bool()

        show = keep if spikes else None
        if name == UNROLLED:
            runner = self._unrolled_watched if spikes else self._unrolled
            started = monotonic()
            outputs = runner.run(frames, show)
        else:
            stepper = self._step_watched if spikes else self._step
            started = monotonic()
            outputs = stepper.run(frames, self.report.steps, show)
        return Run(outputs, kept, name, monotonic() - started)

    def stream(self) -> StepRunner:
        """The step graph, to be fed frame by frame.

        Raises:
            UnknownNameError: it was not written.
        """
        return self._step

    def executor(self) -> OnnxExecutor:
        """Runs frames of any number of steps and shows every value."""
        return OnnxExecutor(self.graph, self.report.dtype)

    @property
    def _neurons(self) -> list[Node]:
        return [node for node in self.graph if isinstance(node.op, Neuron)]

    @cached_property
    def _unrolled(self) -> UnrolledRunner:
        return UnrolledRunner(self.unrolled, self.graph)

    @cached_property
    def _unrolled_watched(self) -> UnrolledRunner:
        return UnrolledRunner(self.unrolled, self.graph, self._neurons)

    @cached_property
    def _step(self) -> StepRunner:
        return StepRunner(self._step_model(), self.graph)

    @cached_property
    def _step_watched(self) -> StepRunner:
        return StepRunner(self._step_model(), self.graph, self._neurons)

    def _step_model(self) -> ModelProto:
        chosen_backend(self, STEP)
        return cast(ModelProto, self.step)

    def models(self) -> dict[str, ModelProto]:
        """By the stem of their file."""
        step = {} if self.step is None else {"step": self.step}
        return {"unrolled": self.unrolled, **step}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `graph.spg`, `unrolled.onnx`, `step.onnx`, `report.json` and `README.txt`, each
        atomically.

        Raises:
            FileError: a file cannot be written.
        """
        target = Path(folder)
        self.graph.save(target / GRAPH)
        for name, model in self.models().items():
            write_bytes(target / f"{name}.onnx", model.SerializeToString(deterministic=True))
        write_json(target / REPORT, self.report.as_json())
        write_text(target / SUMMARY, summary(self.graph, self.report, self.models()))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> OnnxLowered:
        """Read what `save` wrote; the models in the files are what will run.

        Raises:
            FileError: a file is missing, damaged, of another version, or does not belong.
        """
        graph = Graph.load(Path(folder) / GRAPH)
        models = read_folder(Path(folder), graph)
        report = OnnxReport.of(graph, models)
        return cls(graph, report, models["unrolled"], models.get("step"))


def lower(graph: Graph, *, options: OnnxOptions | None = None, **values: object) -> OnnxLowered:
    """Write a graph in ONNX.

    Args:
        graph: as traced. Nothing is folded: runtimes fold batch norms as they load a model.
        options: how; or give the fields of `OnnxOptions` by name, such as `steps=8`.

    Raises:
        UnsupportedError: `check(graph)` finds an error, or the parameters exceed one file.
        UsageError: an option is unknown, or the graph computes with another number of steps.
    """
    if values or options is None:
        given = options.model_dump(exclude_unset=True) if options else {}
        options = OnnxOptions.of(**(given | values))
    ready = prepared(graph, options)
    options = options.model_copy(update={"steps": chosen_steps(graph, options.steps)})
    unrolled = unrolled_model(ready, options)
    step = step_model(ready, options) if options.streaming else None
    models = {"unrolled": unrolled} | ({"step": step} if step is not None else {})
    return OnnxLowered(ready, OnnxReport.of(ready, models), unrolled, step)
