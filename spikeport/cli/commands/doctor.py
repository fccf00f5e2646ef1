"""`spikeport doctor`: what of the environment works, and how to mend the rest."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Annotated

import typer

from spikeport.cli import output
from spikeport.core.errors import MissingPackageError
from spikeport.core.registry import Registry


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        part: what was looked at.
        status: "ok", "missing" (a job of Spikeport will not work), or "note".
        found: what is there.
        fix: how to mend it.
    """

    part: str
    status: str
    found: str
    fix: str = ""


EXAMS: Registry[Callable[[], Finding]] = Registry("examination")


@EXAMS.register("python")
def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "ok", found)
    return Finding("Python", "missing", found, "Use Python 3.11, 3.12 or 3.13.")


@EXAMS.register("torch")
def _torch() -> Finding:
    import torch

    found = f"{torch.__version__}, CPU with {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        return Finding("torch", "ok", f"{found}, {torch.cuda.get_device_name(0)}")
    return Finding("torch", "note", f"{found}, no GPU", "Everything works on the CPU.")


@EXAMS.register("spikingjelly")
def _spikingjelly() -> Finding:
    found = version("spikingjelly")
    if int(found.split(".")[0]) >= 2:
        return Finding("SpikingJelly", "ok", found)
    return Finding("SpikingJelly", "missing", found, "Install spikingjelly>=2.0.")


@EXAMS.register("compiler")
def _compiler() -> Finding:
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return Finding("C++ compiler", "ok", path)
    return Finding("C++ compiler", "note", "none", "Install g++; torch.compile needs one.")


@EXAMS.register("numpy")
def _numpy() -> Finding:
    found = version("numpy")
    major, minor = (int(part) for part in found.split(".")[:2])
    if (major, minor) < (2, 4):
        return Finding("numpy window", "ok", f"{found} (Lava needs < 2.4)")
    return Finding("numpy window", "missing", found, 'Install "numpy<2.4": Lava fails from 2.4 on.')


@EXAMS.register("lava")
def _lava() -> Finding:
    from spikeport.targets.lava.shim import import_lava

    try:
        import_lava()
        return Finding("Lava", "ok", f"lava-nc {version('lava-nc')}, lava-dl {version('lava-dl')}")
    except MissingPackageError as error:
        return Finding("Lava", "missing", error.why, error.fix)
    except Exception as error:
        why = f"does not import: {type(error).__name__}: {error}"
        return Finding("Lava", "missing", why, "Set the environment up anew: uv sync --reinstall.")


@EXAMS.register("onnxruntime")
def _onnxruntime() -> Finding:
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        return Finding("onnxruntime", "missing", str(error), "Install onnxruntime.")
    providers = ", ".join(runtime.get_available_providers())
    return Finding("onnxruntime", "ok", f"{version('onnxruntime')}, {providers}")


@EXAMS.register("graphviz")
def _graphviz() -> Finding:
    if path := shutil.which("dot"):
        return Finding("Graphviz", "ok", path)
    return Finding("Graphviz", "note", "none", "Graphs are drawn by a layout of Spikeport's own.")


@EXAMS.register("extensions")
def _extensions() -> Finding:
    from spikeport.cli.commands.listing import registries

    found: list[str] = []
    failures: dict[str, str] = {}
    for registry in registries():
        names = list(registry)  # imports them
        found += [f"{registry.kind} {name}" for name in names if name in registry.origins]
        failures |= registry.failures
    if failures:
        why = "; ".join(f"{name}: {reason}" for name, reason in failures.items())
        return Finding("Extensions", "missing", why, "Repair the package, or remove it.")
    return Finding("Extensions", "ok", ", ".join(found) or "none installed")


@EXAMS.register("cache")
def _cache() -> Finding:
    from spikeport.core.files import cache_folder

    folder = cache_folder()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if existing.is_dir() and os.access(existing, os.W_OK):
        return Finding("Data cache", "ok", str(folder))
    fix = "Set SPIKEPORT_CACHE to a writable folder."
    return Finding("Data cache", "missing", f"{folder} cannot be written", fix)


def run(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what of the environment works, and how to mend the rest.

    Exit code 1 if a part is missing.

    Example: spikeport doctor
    """
    findings = [exam() for exam in EXAMS.values()]
    if as_json:
        output.print_json([asdict(finding) for finding in findings])
    else:
        rows = [[f.part, f.status, f.found, f.fix] for f in findings]
        output.console().print(output.table("Environment", ["part", "", "found", "fix"], rows))
    if any(finding.status == "missing" for finding in findings):
        raise typer.Exit(1)
