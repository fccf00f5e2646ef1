"""Models, graphs and data by what users call them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.core.notes import note
from spikeport.core.progress import working

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spikeport.convert import Graph
    from spikeport.core.checkpoint import CheckpointReport
    from spikeport.targets.nir.mark import Fires
    from spikeport.train.data import FrameDataset

_GRAPH_SUFFIX, _NIR_SUFFIX = ".spg", ".nir"


def load_factory(spec: str) -> Callable[[], Any]:
    """The user's `package.module:factory`; the current folder is importable.

    Raises:
        UsageError: the module or the attribute cannot be imported or is not callable.
    """
    module_name, _, attribute = spec.partition(":")
    folder = os.getcwd()
    # In front while the user's modules are looked up, so that his `train.py` is his; at the end
    # afterwards, so that it cannot stand in for a library that is imported later.
    sys.path.insert(0, folder)
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"cannot import it: {type(error).__name__}: {error}.",
            where=spec,
            fix="Name it as package.module:factory, from the folder that holds the package.",
        ) from error
    finally:
        sys.path.remove(folder)
        sys.path.append(folder)
    if not callable(factory):
        raise UsageError(f"it is a {type(factory).__name__}, not callable.", where=spec)
    made: Callable[[], Any] = factory
    return made


def open_model(spec: str, checkpoint: Path | None, classes: int | None = None) -> nn.Module:
    """A model by name or from the user's factory, with weights, in eval mode.

    Raises:
        UnknownNameError: no model of ours, and no `module:factory`.
        UsageError, FileError: the factory or the checkpoint does not work.
    """
    from spikeport.train.checkpoint import load_model_and_report
    from spikeport.train.models import MODELS

    if ":" not in spec:
        if spec not in MODELS:
            raise UnknownNameError("model", spec, MODELS)
        options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        model, report = load_model_and_report(spec, checkpoint, **options)
        _note(report)
        return model
    if classes is not None:
        raise UsageError("only models by name take a number of classes.", where="--classes")
    return _from_factory(spec, checkpoint)


def _from_factory(spec: str, checkpoint: Path | None) -> nn.Module:
    from torch import nn

    from spikeport.core.checkpoint import load_checkpoint

    factory = load_factory(spec)
    try:
        model = factory()
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"calling it failed: {type(error).__name__}: {error}.",
            where=spec,
            fix="The factory is called without arguments and returns the model.",
        ) from error
    if not isinstance(model, nn.Module):
        raise UsageError(f"it returns a {type(model).__name__}, not an nn.Module.", where=spec)
    if checkpoint is not None:
        _note(load_checkpoint(model, checkpoint))
    return model.eval()


def _note(report: CheckpointReport) -> None:
    """Tell what the user should look at: weights matched by position, cast, left out."""
    if report.remarks:
        note(str(report))


def open_frames(
    spec: str, split: str, steps: int, framing: str, *, skip_bad: bool = False
) -> FrameDataset:
    """Data by `NAME[:PATH]`, framed; tells which recordings were left out or repaired."""
    from spikeport.train.data import open_data

    if framing not in ("count", "time"):
        raise UnknownNameError("framing", framing, ("count", "time"))
    found = open_data(
        spec,
        split,
        steps=steps,
        framing=framing,  # type: ignore[arg-type]
        skip_bad=skip_bad,
    )
    for line in found.skipped:
        note(f"left out: {line}")
    for line in found.repaired:
        note(f"repaired: {line}")
    return found


def is_stored(spec: str) -> bool:
    """Whether a graph file is meant, not a model."""
    return spec.endswith((_GRAPH_SUFFIX, _NIR_SUFFIX))


def is_nir(spec: str) -> bool:
    """Whether a NIR file is meant."""
    return spec.endswith(_NIR_SUFFIX)


def open_nir(
    path: str, *, dt: float | None = None, fires: Fires | None = None, domain: str | None = None
) -> Graph:
    """A NIR file as a graph.

    Args:
        dt: seconds per time step.
        fires: whether a membrane exactly at its threshold fires.
        domain: what the input carries.

    Raises:
        SpikeportError: the file is bad, or what was given does not suit it.
    """
    from spikeport.targets.nir import read

    graph = read(path, dt=dt, fires=fires, input_domain=domain)
    graph.metadata["source"] = {"model": path}
    return graph


def open_stored(path: str, checkpoint: Path | None = None, domain: str | None = None) -> Graph:
    """A graph from its file; those lowered by Spikeport too.

    Args:
        domain: what the input of a NIR file carries, which does not say it.
    """
    from spikeport import lava_counting as _rules  # noqa: F401  registers what they hold
    from spikeport.convert import Graph

    if checkpoint is not None:
        raise UsageError("a stored graph has its weights.", where="--checkpoint")
    if is_nir(path):
        return open_nir(path, domain=domain)
    return Graph.load(path)


def open_graph(spec: str, checkpoint: Path | None, sample: Tensor, domain: str) -> Graph:
    """A stored graph, or a model traced on the spot.

    Args:
        spec: a `.spg` or `.nir` file, a model name, or `package.module:factory`.
        sample: `[B, T, C, H, W]` frames to trace and prove with.
    """
    from spikeport.convert import trace

    if is_stored(spec):
        return open_stored(spec, checkpoint, domain)
    with working("Tracing and proving"):
        return trace(open_model(spec, checkpoint), sample, input_domain=domain)
