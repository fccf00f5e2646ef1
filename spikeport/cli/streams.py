"""What `stream` and `data show` open and write."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import output
from spikeport.cli.options import InputChoice
from spikeport.cli.sources import graph_or_trace
from spikeport.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from spikeport.convert import StepExecutor
    from spikeport.streaming import Prediction
    from spikeport.train.data.stream import ByCount, ByTime

MOST_PICTURES = 600
"""In one animation: it is held in memory until it is written."""
COUNTED_MS = 50.0
"""For which a window of a number of events is shown."""
PREDICTIONS, SUMMARY = "predictions.jsonl", "summary.json"

Window = Annotated[
    str, typer.Option(help="One time step: a duration (20ms) or a number of events (500events).")
]
Fit = Annotated[
    str,
    typer.Option(
        help="Sensor to network: exact (sizes must be equal), crop (the middle of the sensor), "
        "downsample (all of it, events summed)."
    ),
]
Sensor = Annotated[
    str | None, typer.Option(help="WIDTHxHEIGHT in pixels, where the recording does not state it.")
]
State = Annotated[
    str,
    typer.Option(
        help="Membranes and read-out: keep, reset:N (every N windows), gap:100ms (after so long "
        "without events), or reset:N,gap:100ms."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(help="What runs it: reference, onnx, lava. A lowered folder knows its own."),
]


def parse_sensor(text: str | None) -> tuple[int, int] | None:
    """`346x260` as (width, height).

    Raises:
        UsageError: it is no size.
    """
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    digits = width.isdecimal() and height.isdecimal() and max(len(width), len(height)) <= 5
    if not digits or not 1 <= min(int(width), int(height)) <= max(int(width), int(height)) <= 32767:
        raise UsageError(f"{text!r} is no size.", where="--sensor", fix="Write it as 346x260.")
    return int(width), int(height)


def open_stepper(
    model: str, checkpoint: Path | None, given: InputChoice, target: str | None
) -> tuple[StepExecutor, str]:
    """What runs a model frame by frame, and on which target.

    Args:
        model: a folder of `spikeport lower`, a graph, a model name, or `package.module:factory`.

    Raises:
        SpikeportError: the model or the target is unknown, or cannot be streamed.
    """
    from spikeport.targets import TARGETS, load, stepper
    from spikeport.targets.artefact import read_manifest

    if target is not None:
        TARGETS[target]  # a typing error must not cost the tracing
    if Path(model).is_dir():
        own = read_manifest(model).target
        if target not in (None, own):
            raise UsageError(
                f"this folder was lowered to {own}.",
                where="--target",
                fix="Leave it out, or give the model that was lowered.",
            )
        if checkpoint is not None or given != InputChoice():
            raise UsageError(
                "a lowered folder knows its input and has its weights.",
                where=model,
                fix="Leave out what describes the model.",
            )
        return stepper(load(model, own).graph, own), own
    if target == "lava" and not model.endswith(".spg"):
        raise UsageError(
            "Lava's whole numbers are chosen on data, which a stream has not.",
            where="--target",
            fix="Run `spikeport lower MODEL --target lava -o FOLDER` before, and give the folder "
            "as --model.",
        )
    chosen = target or "reference"
    return stepper(graph_or_trace(model, checkpoint, given), chosen), chosen


@dataclass
class Album:
    """Pictures of windows with what a network says about them.

    Attributes:
        first_us: tells when the recording began.
        limit: pictures that are kept.
        left_out: how many came beyond it.
    """

    first_us: Callable[[], int]
    limit: int = MOST_PICTURES
    pictures: list[Image.Image] = field(default_factory=list)
    left_out: int = 0

    def add(self, said: Prediction, frame: NDArray[Any]) -> None:
        """One window."""
        from spikeport.train.data.pictures import paint_counts, picture

        if len(self.pictures) < self.limit:
            self.pictures.append(picture(paint_counts(frame), caption(said, self.first_us())))
        else:
            self.left_out += 1

    def save(self, path: Path, milliseconds: float) -> None:
        """Write the file; says what is not in it, or that there is nothing to write."""
        from spikeport.train.data.pictures import save_pictures

        if not self.pictures:
            output.print_note(f"{path} was not written: no window was shown to the network.")
            return
        save_pictures(path, self.pictures, milliseconds)
        if self.left_out:
            output.print_note(
                f"{path} holds the first {self.limit} windows; {self.left_out:,} more are not in "
                "it."
            )


def shown_ms(window: ByTime | ByCount) -> float:
    """How long a picture of an animation stands for a window."""
    from spikeport.train.data.stream import ByTime

    return window.us / 1000 if isinstance(window, ByTime) else COUNTED_MS


def caption(said: Prediction, first_us: int) -> str:
    """A line for a picture; times are since the first event."""
    return f"{(said.end_us - first_us) / 1e6:.3f} s  class {said.label}  {said.score:.2f}"


@contextlib.contextmanager
def lines_file(path: Path) -> Iterator[IO[str]]:
    """A text file that grows line by line, and is there when it is complete."""
    from spikeport.core.files import atomic_path

    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield file


def json_line(value: Any) -> str:
    """One object on one line."""
    return json.dumps(value, allow_nan=False) + "\n"
