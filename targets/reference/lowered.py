"""The network as the reference runs it, and its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.passes import fold_batch_norm, remove_dead
from spikeport.core.errors import UnknownNameError
from spikeport.core.files import write_json, write_text
from spikeport.targets.lowered import FLOAT32, Run, Tolerance, chosen_backend, run_executor
from spikeport.targets.reference.executor import ReferenceExecutor
from spikeport.targets.reference.report import ReferenceReport, report_on
from spikeport.targets.reference.rounding import flips
from spikeport.targets.reference.setting import DTYPES, LAYOUTS, Layout
from spikeport.targets.stamped import Stamp, damaged

STAMP = Stamp("spikeport-reference", 1, "a lowered reference network")
_OPTIONS = ("dtype", "device", "layout", "sample")
GRAPH, SETTINGS, REPORT, SUMMARY = "graph.spg", "settings.json", "report.json", "README.txt"

TOLERANCES = {
    "float64": Tolerance(0.0, 1e-10),
    "float32": FLOAT32,
    "bfloat16": Tolerance(5e-2, 2e-2),
    "float16": Tolerance(2e-2, 5e-3),
}
"""By number format. Half precision rounds each current to 8 or 11 bits: sums in another order move
spikes near the threshold, and moved spikes move others."""


@dataclass(frozen=True)
class ReferenceLowered:
    """A network that the fast executor runs.

    Attributes:
        graph: batch norms folded.
        dtype: "float64", "float32", "bfloat16" or "float16".
        device: of the default backend, "cpu" or "cuda".
        layout: of feature maps; None for the best.
        report: which implementation runs each node, and spike flips if they were measured.
    """

    target: ClassVar[str] = "reference"
    latency: ClassVar[int] = 0

    graph: Graph
    dtype: str
    device: str
    layout: Layout | None
    report: ReferenceReport
    _executors: dict[str, ReferenceExecutor] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def backends(self) -> tuple[str, ...]:
        """The devices, the default first; "cuda" only where there is a GPU."""
        there = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
        return tuple(sorted(there, key=lambda name: name != self.device))

    @property
    def tolerance(self) -> Tolerance:
        return TOLERANCES[self.dtype]

    def executor(self, backend: str | None = None) -> ReferenceExecutor:
        """What runs the network on a backend; made once."""
        name = chosen_backend(self, backend)
        if name not in self._executors:
            self._executors[name] = ReferenceExecutor(
                self.graph, self.dtype, name, layout=self.layout
            )
        return self._executors[name]

    def run(self, frames: Tensor, *, backend: str | None = None, spikes: bool = False) -> Run:
        """Run a batch from rest; see `Lowered.run`.

        Returns:
            the outputs on the CPU, in float32 or float64.

        Raises:
            UnknownNameError: there is no such backend here.
            UsageError: the frames do not suit the graph.
        """
        name = chosen_backend(self, backend)
        run = run_executor(self.executor(name), frames, name, spikes=spikes)
        outputs = run.outputs.cpu()
        return run._replace(outputs=outputs if outputs.dtype == torch.float64 else outputs.float())

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `graph.spg`, `settings.json`, `report.json` and `README.txt`, each atomically.

        Raises:
            FileError: a file cannot be written.
        """
        target = Path(folder)
        self.graph.save(target / GRAPH)
        settings = {"dtype": self.dtype, "device": self.device, "layout": self.layout}
        write_json(target / SETTINGS, STAMP.on(settings))
        write_json(target / REPORT, STAMP.on(self.report.as_json()))
        write_text(target / SUMMARY, _SUMMARY.format(dtype=self.dtype))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> ReferenceLowered:
        """Read what `save` wrote. The report is made anew: what runs a node depends on the machine.

        Raises:
            FileError: a file is missing, damaged, or of another version.
        """
        target = Path(folder)
        graph, settings = Graph.load(target / GRAPH), STAMP.read(target / SETTINGS, "settings file")
        dtype, layout = settings.get("dtype"), settings.get("layout")
        device = settings.get("device")
        known = dtype in DTYPES and layout in (None, *LAYOUTS)
        if not isinstance(dtype, str) or not known or device not in ("cpu", "cuda"):
            raise damaged(target / SETTINGS, "it holds settings that do not exist")
        if device == "cuda" and not torch.cuda.is_available():
            device = "cpu"  # the same network; only where it runs differs
        return lower(graph, dtype=dtype, device=device, layout=layout)


def lower(
    graph: Graph,
    *,
    dtype: torch.dtype | str = "float32",
    device: str = "cpu",
    layout: Layout | None = None,
    sample: Tensor | None = None,
    **unknown: object,
) -> ReferenceLowered:
    """Take a graph to the fast executor.

    Args:
        graph: as traced; batch norms are folded if they are not yet.
        dtype: "float64", "float32", "bfloat16" or "float16", or PyTorch's own.
        device: "cpu" or "cuda".
        layout: of feature maps, "channels_last" or "contiguous"; the best if not given.
        sample: frames as the graph takes them; spike flips against float64 are counted on them.

    Raises:
        UnsupportedError: an op has no implementation.
        UsageError, UnknownNameError: an option cannot be meant, or there is no GPU.
    """
    for option in unknown:
        raise UnknownNameError("option of reference", option, _OPTIONS)
    name = dtype if isinstance(dtype, str) else str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise UnknownNameError("number format", name, DTYPES)
    folded = remove_dead(fold_batch_norm(graph))
    executor = ReferenceExecutor(folded, name, device, layout=layout)
    measured = None if sample is None else flips(executor, sample)
    kind = executor.device.type
    return ReferenceLowered(
        folded, name, kind, layout, report_on(executor, measured), {kind: executor}
    )


_SUMMARY = """A spiking network for Spikeport's reference executor.

graph.spg       the network: one safetensors file, tensors inside, the graph as JSON in its
                metadata (key "graph"), batch norms folded
settings.json   number format ({dtype}) and device
report.json     what ran each node on the machine that wrote this

Run it:         from spikeport.targets.reference import ReferenceLowered
                ReferenceLowered.load(".").run(frames).outputs
Without Spikeport the parameters are plain tensors (safetensors.torch.load_file) and the equations
of all ops stand in the metadata; for a file that onnxruntime runs, lower to onnx.
"""
