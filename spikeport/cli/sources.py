"""What commands are given: models, graphs, data, shapes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeport.cli import output
from spikeport.cli.options import InputChoice
from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.core.progress import working

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spikeport.convert import Graph
    from spikeport.core.checkpoint import CheckpointReport
    from spikeport.train.data import FrameDataset

_GRAPH_SUFFIX, _NIR_SUFFIX = ".spg", ".nir"


def parse_shape(text: str) -> tuple[int, ...]:
    """`4,2,32,32` as a shape.

    Raises:
        UsageError: not a list of positive whole numbers.
    """
    try:
        shape = tuple(int(size) for size in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise UsageError(
            f"{text!r} is no shape.",
            where="--input",
            fix="Give sizes with commas between them, such as 2,4,2,32,32.",
        )
    # A shape mistyped by a digit or two must not take the machine's memory.
    elements = 1
    for size in shape:
        elements *= size
    if elements > 2**30:
        raise UsageError(
            f"an input of shape {text} would hold {elements:,} numbers.",
            where="--input",
            fix="Trace with one or two samples; the graph takes any batch size.",
        )
    return shape


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


def _untrained(spec: str, checkpoint: Path | None, classes: int | None) -> nn.Module:
    """A model by name with fresh weights, the same on every run."""
    import torch

    from spikeport.train.models import create_model

    if checkpoint is not None or ":" in spec:
        raise UsageError(
            "fresh weights are for models by name, without a checkpoint.",
            where="--untrained",
            fix="Leave it out: a factory brings its own weights.",
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return create_model(spec, **({} if classes is None else {"num_classes": classes})).eval()


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
        output.print_note(str(report))


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
        output.print_note(f"left out: {line}")
    for line in found.repaired:
        output.print_note(f"repaired: {line}")
    return found


def is_stored(spec: str) -> bool:
    """Whether a graph file is meant, not a model."""
    return spec.endswith((_GRAPH_SUFFIX, _NIR_SUFFIX))


def is_nir(spec: str) -> bool:
    """Whether a NIR file is meant."""
    return spec.endswith(_NIR_SUFFIX)


def open_nir(path: str, given: InputChoice) -> Graph:
    """A NIR file as a graph.

    Raises:
        SpikeportError: the file is bad, or what was given does not suit it.
    """
    from typing import cast

    from spikeport.targets.nir import read
    from spikeport.targets.nir.mark import Fires

    if given.layout is not None or given.untrained:
        raise UsageError(
            "a NIR file knows its layout and has its weights.",
            where=path,
            fix="Leave out --layout and --untrained.",
        )
    fires = cast("Fires | None", given.fires)
    graph = read(path, dt=given.dt, fires=fires, input_domain=given.domain)
    shape = None if given.shape is None else parse_shape(given.shape)
    if shape is not None and shape[-len(graph.input.shape) :] != graph.input.shape:
        raise UsageError(
            f"the file takes {list(graph.input.shape)} at each step, not {given.shape}.",
            where="--input",
            fix="Give frames of that size, or leave it out.",
        )
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
        return open_nir(path, InputChoice(domain=domain))
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


def graph_or_trace(spec: str, checkpoint: Path | None, given: InputChoice) -> Graph:
    """A stored graph, or a model traced on a random sample.

    Raises:
        SpikeportError: a name is unknown, a file is bad, or the model cannot be traced.
    """
    if not is_stored(spec):
        return trace_random(spec, checkpoint, None, given)
    if is_nir(spec) and checkpoint is None:
        return open_nir(spec, given)
    if given != InputChoice():
        raise UsageError(
            "a stored graph knows its input.",
            where=spec,
            fix="Leave out what describes the input, or trace the model anew.",
        )
    return open_stored(spec, checkpoint)


def trace_random(
    spec: str, checkpoint: Path | None, classes: int | None, given: InputChoice
) -> Graph:
    """Trace a model on a random sample of the given shape and domain, or of its own.

    Raises:
        SpikeportError: a name is unknown, a file is bad, or the model cannot be traced.
    """
    from spikeport.convert import Domain, trace
    from spikeport.train.models import MODELS

    if given.fires is not None or given.dt is not None:
        raise UsageError(
            "models say themselves when they fire and what a step is.",
            where="--fires, --dt",
            fix="Leave them out: they are for *.nir files.",
        )
    if given.domain is not None and given.domain not in set(Domain):
        raise UnknownNameError("domain", given.domain, [str(name) for name in Domain])
    net = (
        _untrained(spec, checkpoint, classes)
        if given.untrained
        else open_model(spec, checkpoint, classes)
    )
    sizes = _input_shape(spec, given.shape)
    events = spec in MODELS and not MODELS[spec].static
    declared = Domain(given.domain or ("graded" if events else "real"))
    with working("Tracing and proving"):
        graph = trace(
            net,
            sample_like(sizes, declared),
            layout=given.layout,
            steps=given.steps,
            input_domain=declared,
        )
    graph.metadata["source"]["model"] = spec
    if checkpoint is not None:
        graph.metadata["source"]["checkpoint"] = checkpoint.name
    return graph


def _input_shape(spec: str, shape: str | None) -> tuple[int, ...]:
    from spikeport.train.models import MODELS

    if shape is not None:
        return parse_shape(shape)
    if spec not in MODELS:
        raise UsageError(
            "the input shape of a model of yours is not known.",
            where="--input",
            fix="Give it, such as --input 2,4,2,32,32.",
        )
    entry = MODELS[spec]
    return (2, *entry.input_shape) if entry.static else (2, entry.steps, *entry.input_shape)


def sample_like(shape: tuple[int, ...], domain: str) -> Tensor:
    """Random input of a domain, the same on every run."""
    import torch

    generator = torch.Generator().manual_seed(0)
    if domain == "spike":
        return (torch.rand(shape, generator=generator) < 0.2).float()
    if domain == "graded":
        return torch.poisson(torch.full(shape, 0.5), generator=generator)
    return torch.randn(shape, generator=generator)


def read_sample(path: Path) -> Tensor:
    """Input from a `.npy` file of numbers.

    Raises:
        FileError: missing, damaged, or not an array of numbers.
    """
    import numpy as np
    import torch

    from spikeport.core.files import readable_file

    target = readable_file(path, "input")
    try:
        # Mapped, so that a header that promises too much takes no memory; no pickles.
        values = np.load(target, mmap_mode="r", allow_pickle=False)
        return torch.from_numpy(np.array(values, dtype=np.float64))
    except (ValueError, TypeError, OSError, EOFError, AttributeError) as error:
        raise FileError(
            f"this is no .npy file of numbers ({str(error)[:200]}).",
            where=str(path),
            fix="Write it with numpy.save.",
        ) from error
