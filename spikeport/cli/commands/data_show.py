"""`spikeport data show`: pictures of events, with what a network says about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output, streams
from spikeport.core.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from PIL import Image

    from spikeport.convert import StepExecutor

KINDS = ("frames", "surface")
STEP_MS = 200.0
"""For which a frame of data, whose duration is not known, is shown."""


@options.spread
def run(
    what: Annotated[
        str, typer.Argument(metavar="FILE|DATA", help="A recording, or data by NAME[:PATH].")
    ],
    given: options.InputChoice,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="*.png: windows side by side; *.gif: moving.")
    ],
    index: Annotated[int, typer.Option(help="For DATA: which sample of the split.", min=0)] = 0,
    kind: Annotated[
        str,
        typer.Option(
            help="frames: events counted per pixel. surface: how long ago each pixel saw one."
        ),
    ] = "frames",
    window: streams.Window = "20ms",
    tau: Annotated[str, typer.Option(help="Time constant of surfaces.")] = "50ms",
    count: Annotated[
        int, typer.Option(help="Windows that are shown, from the first one.", min=1)
    ] = 16,
    time_steps: Annotated[
        int | None, typer.Option(help="For DATA: frames of the sample, 4 by default.", min=1)
    ] = None,
    split: options.Split = "test",
    framing: options.Framing = "count",
    model: Annotated[
        str | None, typer.Option(help="Write its prediction under each window; as in stream.")
    ] = None,
    checkpoint: options.Checkpoint = None,
    target: streams.Target = None,
    state: streams.State = "keep",
    fit: streams.Fit = "exact",
    sensor: streams.Sensor = None,
) -> None:
    """Draw events: ON blue, OFF vermilion, which all kinds of colour vision tell apart.

    Of a recording, one picture per window; of data, one per frame of a sample. With a model, what
    the network reads is drawn, and below it what it says.

    Example: spikeport data show street.aedat4 --window 50ms -o street.gif

    Example: spikeport data show digits --index 3 -o digit.png

    Example: spikeport data show street.aedat4 --kind surface --tau 30ms -o surface.png
    """
    from spikeport.core.files import readable_file
    from spikeport.train.data.pictures import require_picture, save_pictures
    from spikeport.train.data.stream import parse_window

    require_picture(out)
    if kind not in KINDS:
        raise UnknownNameError("kind of picture", kind, KINDS)
    shown = min(count, streams.MOST_PICTURES)
    is_file = Path(what).is_file()
    if not is_file and Path(what).suffix and ":" not in what:
        readable_file(what, "recording")
    if model is not None and kind == "surface":
        raise UsageError(
            "a network reads frames, not surfaces.", where="--kind", fix="Leave out one of them."
        )
    if not is_file and kind == "surface":
        raise UsageError(
            "data are frames of event counts, without times.",
            where=what,
            fix="Give a recording, or --kind frames.",
        )
    if is_file and model is None:
        pictures = _windows(Path(what), window, shown, sensor, tau if kind == "surface" else None)
    elif is_file:
        assert model is not None
        opened = streams.open_stepper(model, checkpoint, given, target)[0]
        pictures = _predicted(Path(what), opened, window, shown, state, fit, sensor)
    else:
        frames, name = _sample(what, split, index, time_steps or 4, framing)
        executor = None
        if model is not None:
            executor = streams.open_stepper(model, checkpoint, given, target)[0]
        pictures = _of_frames(frames, name, executor)
    save_pictures(out, pictures, streams.shown_ms(parse_window(window)) if is_file else STEP_MS)
    ink = "time surfaces (tau " + tau + ")" if kind == "surface" else "event counts"
    output.console().print(
        f"{out}: {len(pictures)} pictures of {what}, {ink}; ON blue, OFF vermilion."
    )


def _windows(
    path: Path, window: str, count: int, sensor: str | None, tau: str | None
) -> list[Image.Image]:
    """Of the sensor itself."""
    from spikeport.train.data.pictures import paint, paint_counts, picture
    from spikeport.train.data.stream import (
        CheckedSource,
        FileSource,
        FrameCounter,
        cut,
        make_fit,
        parse_duration,
        parse_window,
    )
    from spikeport.train.data.stream.surface import TimeSurface

    source = FileSource(path)
    size = source.sensor_size or streams.parse_sensor(sensor)
    if size is None:
        raise UsageError(
            "the recording does not state the size of its sensor.",
            where=str(path),
            fix="Give it: --sensor WIDTHxHEIGHT.",
        )
    counter = FrameCounter(make_fit("exact", size, (2, size[1], size[0])))
    surface = None if tau is None else TimeSurface(size, parse_duration(tau, "--tau"))
    pictures: list[Image.Image] = []
    first: int | None = None
    for each in cut(CheckedSource(source, size).packets(), parse_window(window)):
        first = each.start if first is None else first
        counter.add(each.events)
        if surface is not None:
            surface.add(each.events)
        if each.last:
            frame = counter.take()
            painted = paint_counts(frame) if surface is None else paint(surface.at(each.end))
            pictures.append(picture(painted, f"{(each.end - first) / 1e6:.3f} s"))
            if len(pictures) == count:
                break
    return pictures


def _predicted(
    path: Path,
    executor: StepExecutor,
    window: str,
    count: int,
    state: str,
    fit: str,
    sensor: str | None,
) -> list[Image.Image]:
    """Of what the network reads, with its predictions."""
    from spikeport.streaming import Stream
    from spikeport.train.data.stream import FileSource

    size = streams.parse_sensor(sensor)
    stream = Stream(FileSource(path), executor, window, state=state, fit=fit, sensor_size=size)
    album = streams.Album(lambda: stream.first_us, count)
    stream.on_frame = album.add
    for _ in stream:
        if len(album.pictures) == count:
            break
    output.print_note(f"{stream.fit}.")
    return album.pictures


def _sample(spec: str, split: str, index: int, steps: int, framing: str) -> tuple[Any, str]:
    """Frames `[T, 2, H, W]` of one sample, and the name of its class."""
    from spikeport.sources import open_frames

    data = open_frames(spec, split, steps, framing)
    if index >= len(data):
        raise UsageError(
            f"{spec} has {len(data):,} samples in split {split}.",
            where="--index",
            fix=f"Give 0 to {len(data) - 1:,}.",
        )
    return data.frames[index], data.classes[int(data.labels[index])]


def _of_frames(frames: Any, name: str, executor: StepExecutor | None) -> list[Image.Image]:
    import torch

    from spikeport.train.data.pictures import paint_counts, picture

    pictures = []
    for step, frame in enumerate(frames, 1):
        text = f"{name}, step {step}"
        if executor is not None:
            scores = executor.step(torch.from_numpy(frame.astype("float32")).unsqueeze(0))[0]
            text += f": class {int(scores.argmax())}  {float(scores.max()):.2f}"
        pictures.append(picture(paint_counts(frame), text))
    return pictures
