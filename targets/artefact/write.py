"""Writing an artefact: the target's files, golden traces, and last the manifest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.convert.storage import fingerprint
from spikeport.core.errors import FileError
from spikeport.core.files import write_json, write_text
from spikeport.core.versions import installed_versions
from spikeport.targets.artefact.golden import GOLDEN, write_golden
from spikeport.targets.artefact.hashing import facts_of
from spikeport.targets.artefact.manifest import (
    FORMAT,
    MANIFEST,
    VERSION,
    Allowed,
    FileFacts,
    Golden,
    Input,
    Manifest,
    is_artefact,
    read_manifest,
)
from spikeport.targets.fidelity import FidelityReport, save_heat_map
from spikeport.targets.lowered import Lowered, Run

_PACKAGES = ("spikeport", "torch", "numpy", "spikingjelly", "onnx", "onnxruntime", "nir", "lava-nc")


def write_artefact(
    lowered: Lowered,
    frames: Tensor,
    folder: str | os.PathLike[str],
    report: FidelityReport | None = None,
    golden: Run | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Manifest:
    """Run the frames on the target's first backend and write all that a reader needs to repeat it.

    The manifest is taken away first and written last: a folder that has one is whole. What an
    earlier one names and this one does not goes with it, unless it was changed since.

    Args:
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`; one or
            two samples are enough.
        report: also write it, as `parity.json`, `parity.csv` and `parity.svg`.
        golden: what the first backend emits on these frames, spikes included, if that is known.
        notes: what else the folder is to tell, as NAME.json each.

    Raises:
        FileError: a file cannot be written.
        SpikeportError: the frames do not suit the graph.
    """
    run = golden or lowered.run(frames, spikes=True)
    earlier = _earlier_files(Path(folder))
    target = _empty_of_manifest(Path(folder))
    with tempfile.TemporaryDirectory(prefix=".spikeport-", dir=target) as temporary:
        staged = Path(temporary)
        lowered.save(staged)
        write_golden(staged / GOLDEN, frames, run)
        if report is not None:
            _write_report(report, staged)
        for name, content in (notes or {}).items():
            write_json(staged / f"{name}.json", content)
        files = {path.name: facts_of(path) for path in sorted(staged.iterdir())}
        # A reader would take a model of before for one of this network.
        for name in earlier.keys() - files.keys():
            left = target / name
            if left.is_file() and facts_of(left) == earlier[name]:
                left.unlink()
        for path in staged.iterdir():
            os.replace(path, target / path.name)
    graph, entry = lowered.graph, lowered.graph.input
    silent = tuple(name for name, value in run.spikes.items() if not bool(value.any()))
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        target=lowered.target,
        graph_sha256=fingerprint(graph),
        time_steps=frames.shape[0] if entry.per_step else _steps(graph),
        latency=lowered.latency,
        input=Input(shape=entry.shape, domain=str(entry.domain), per_step=entry.per_step),
        tolerance=Allowed(**lowered.tolerance._asdict()),
        golden=Golden(
            file=GOLDEN,
            backend=run.backend,
            samples=frames.shape[1 if entry.per_step else 0],
            neurons=len(run.spikes),
            fired=sum(int(value.sum()) for value in run.spikes.values()),
            silent=silent,
        ),
        conventions={node.name: _settings(node) for node in graph if isinstance(node.op, Neuron)},
        files=files,
        versions=installed_versions(_PACKAGES),
        certificate=graph.metadata.get("certificate", graph.metadata.get("float_certificate")),
    )
    write_text(target / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _write_report(report: FidelityReport, folder: Path) -> None:
    write_json(folder / "parity.json", report.as_json())
    write_text(folder / "parity.csv", report.table().to_csv(index=False))
    save_heat_map(report, folder / "parity.svg")


def _earlier_files(folder: Path) -> Mapping[str, FileFacts]:
    """What was written there before, as far as that is known."""
    try:
        return read_manifest(folder).files if is_artefact(folder) else {}
    except FileError:
        return {}


def _empty_of_manifest(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot write there: {error.strerror or error}.",
            where=str(folder),
            fix="Choose another folder.",
        ) from error
    return folder


def _steps(graph: Graph) -> int | None:
    steps = {getattr(node.op, "steps", None) for node in graph} - {None}
    return steps.pop() if len(steps) == 1 else None


def _settings(node: Node) -> dict[str, Any]:
    """The kind of a neuron and its fields that are no tensors."""
    tensors = node.op.tensors()
    values = {
        field.name: getattr(node.op, field.name)
        for field in fields(node.op)
        if field.name not in tensors
    }
    return {"kind": node.op.kind, **values}
