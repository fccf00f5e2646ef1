"""What commands are given to trace and to run: shapes, samples, models on random input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.cli.options import InputChoice
from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.core.progress import working
from spikeport.sources import is_nir, is_stored, open_model, open_nir, open_stored

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spikeport.convert import Graph


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


def open_given_nir(path: str, given: InputChoice) -> Graph:
    """A NIR file as a graph.

    Raises:
        SpikeportError: the file is bad, or what was given does not suit it.
    """
    from typing import cast

    from spikeport.targets.nir.mark import Fires

    if given.layout is not None or given.untrained:
        raise UsageError(
            "a NIR file knows its layout and has its weights.",
            where=path,
            fix="Leave out --layout and --untrained.",
        )
    fires = cast("Fires | None", given.fires)
    graph = open_nir(path, dt=given.dt, fires=fires, domain=given.domain)
    shape = None if given.shape is None else parse_shape(given.shape)
    if shape is not None and shape[-len(graph.input.shape) :] != graph.input.shape:
        raise UsageError(
            f"the file takes {list(graph.input.shape)} at each step, not {given.shape}.",
            where="--input",
            fix="Give frames of that size, or leave it out.",
        )
    return graph


def graph_or_trace(spec: str, checkpoint: Path | None, given: InputChoice) -> Graph:
    """A stored graph, or a model traced on a random sample.

    Raises:
        SpikeportError: a name is unknown, a file is bad, or the model cannot be traced.
    """
    if not is_stored(spec):
        return trace_random(spec, checkpoint, None, given)
    if is_nir(spec) and checkpoint is None:
        return open_given_nir(spec, given)
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
