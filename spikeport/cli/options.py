"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

Model = Annotated[
    str,
    typer.Argument(
        help="A graph (*.spg), a model name (spikeport list), or package.module:factory."
    ),
]
Checkpoint = Annotated[
    Path | None, typer.Option(help="Weights: .safetensors, or .pt / .pth of a state dict.")
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
Data = Annotated[str, typer.Option(help="Data by NAME[:PATH]; see spikeport list.")]
Split = Annotated[str, typer.Option(help="Which part of the data.")]
Samples = Annotated[
    int | None, typer.Option(help="Use N samples, spread evenly over the split.", min=1)
]
Steps = Annotated[
    int | None, typer.Option(help="Time steps T; the model's own by default.", min=1, max=1024)
]
Framing = Annotated[
    str, typer.Option(help="Frames of equal event count (count) or of equal duration (time).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class RunChoice:
    """A network and the recordings that it is to see: the options of every command that runs one.

    A command takes one parameter of this type, is decorated with `with_run_choice`, and hands what
    it gets to `runs.open_run`.
    """

    model: Model
    data: Data = "digits"
    checkpoint: Checkpoint = None
    split: Split = "test"
    samples: Samples = None
    steps: Steps = None
    framing: Framing = "count"


def with_run_choice(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option per field of its `RunChoice` parameter."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    (bundle,) = (parameter.name for parameter in own if parameter.annotation is RunChoice)
    hints = get_type_hints(RunChoice, include_extras=True)
    spread = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(RunChoice)
    ]
    others = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own
        if parameter.name != bundle
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = RunChoice(**{each.name: given.pop(each.name) for each in spread})
        command(**{bundle: chosen}, **given)

    run.__signature__ = inspect.Signature([*spread, *others])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*spread, *others]}
    return run
