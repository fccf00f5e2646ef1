"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from spikeport import runs

Model = Annotated[
    str,
    typer.Argument(
        help="A graph (*.spg, *.nir), a model name (spikeport list), or package.module:factory."
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="Weights: .safetensors, or what torch.save wrote (.pt, .pth, .pth.tar)."),
]
Shape = Annotated[
    str | None,
    typer.Option(
        "--input",
        help="Input shape: B,C,H,W for images, B,T,C,H,W or T,B,C,H,W for sequences. "
        "Models by name know theirs.",
    ),
]
InputDomain = Annotated[
    str | None,
    typer.Option(
        help="What the input carries: spike (0/1), graded (event counts), real (images). "
        "Models by name know theirs; real otherwise."
    ),
]
Layout = Annotated[
    str | None,
    typer.Option(
        help="Which axes of --input are time and batch, where the model leaves it open: "
        "TBCHW, BTCHW or BCHW."
    ),
]
LoopSteps = Annotated[
    int | None,
    typer.Option(
        "--steps",
        help="Number of time steps of a model whose time loop is outside of it.",
        min=1,
        max=100_000,
    ),
]
Untrained = Annotated[
    bool,
    typer.Option(
        "--untrained",
        help="Fresh weights instead of trained ones, for models by name: to look at a structure.",
    ),
]
Fires = Annotated[
    str | None,
    typer.Option(
        help="For *.nir: whether a membrane exactly at its threshold fires: at (SpikingJelly, "
        "sinabs) or above (NIR's definition, snnTorch, Norse). Files of Spikeport say it."
    ),
]
StepSeconds = Annotated[
    float | None,
    typer.Option(
        "--dt", help="For *.nir: seconds per time step. Files of Spikeport say it; 1e-4 otherwise."
    ),
]
Data = Annotated[str, typer.Option(help="Data by NAME[:PATH]; see spikeport list.")]
Split = Annotated[str, typer.Option(help="Which part of the data.")]
Samples = Annotated[
    int | None, typer.Option(help="Use N samples, spread evenly over the split.", min=1)
]
MAX_STEPS = 1024
Steps = Annotated[
    int | None, typer.Option(help="Time steps T; the model's own by default.", min=1, max=MAX_STEPS)
]
ALL_STEPS = 0
"""`--steps all`: the model's own T, and the answers after each step."""


def steps_or_all(text: str) -> int:
    """A number of steps, or `ALL_STEPS`."""
    if text == "all":
        return ALL_STEPS
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_STEPS:
        raise typer.BadParameter(f"{text!r} is neither a number from 1 to {MAX_STEPS} nor all.")
    return int(text)


StepsOrAll = Annotated[
    int | None,
    typer.Option(
        help="Time steps T, the model's own by default; all: the model's own, as --curve.",
        parser=steps_or_all,
        metavar="N|all",
    ),
]
Framing = Annotated[
    str, typer.Option(help="Frames of equal event count (count) or of equal duration (time).")
]
SkipBad = Annotated[
    bool,
    typer.Option("--skip-bad", help="Leave out recordings that cannot be read, and list them."),
]
Workers = Annotated[int, typer.Option(help="Processes that share the samples.", min=1, max=1024)]
Ray = Annotated[
    str | None,
    typer.Option(
        help="Share the work out to a Ray cluster: auto (RAY_ADDRESS, else the cores of this "
        "machine), HOST:PORT or ray://HOST:PORT.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class InputChoice:
    """What a model is traced with; a stored graph knows it already."""

    shape: Shape = None
    domain: InputDomain = None
    layout: Layout = None
    steps: LoopSteps = None
    untrained: Untrained = False
    fires: Fires = None
    dt: StepSeconds = None


@dataclass(frozen=True)
class RunChoice(runs.RunChoice):
    """A network and the recordings that it is to see, as arguments."""

    model: Model
    data: Data = runs.RunChoice.data
    checkpoint: Checkpoint = runs.RunChoice.checkpoint
    split: Split = runs.RunChoice.split
    samples: Samples = runs.RunChoice.samples
    steps: Steps = runs.RunChoice.steps
    framing: Framing = runs.RunChoice.framing
    skip_bad: SkipBad = runs.RunChoice.skip_bad


@dataclass(frozen=True)
class EvaluationChoice(RunChoice):
    """The same, where `--steps all` has a meaning."""

    steps: StepsOrAll = None


@dataclass(frozen=True)
class SharingChoice:
    """Who does the work."""

    workers: Workers = 1
    ray: Ray = None


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Decorator: give a command one option per field of each parameter that is a choice.

    So options that several commands share are written once, and travel as one value.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    choices: dict[str, type[Any]] = {
        each.name: each.annotation
        for each in own
        if inspect.isclass(each.annotation) and is_dataclass(each.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for each in own:
        parameters += _fields_of(choices[each.name]) if each.name in choices else [each]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for name, choice in choices.items():
            values = {field.name: given.pop(field.name) for field in fields(choice)}
            given[name] = choice(**values)
        command(**given)

    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in keyword}
    return run


def _fields_of(choice: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(choice, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(choice)
    ]
