"""`spikeport stream`: predictions while a recording plays as a camera would deliver it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output, streams

if TYPE_CHECKING:
    from spikeport.streaming import Prediction, Stream, Summary

_HEAD = f"{'time s':>10}  {'class':>5} {'score':>9}  {'step':>4}  {'events':>9} {'k/s':>9}  " \
        f"{'spikes %':>8}  {'latency ms':>10}"  # fmt: skip


@options.spread
def run(
    file: Annotated[Path, typer.Argument(help="A recording, of any format of spikeport list.")],
    given: options.InputChoice,
    model: Annotated[
        str,
        typer.Option(
            help="A folder of spikeport lower, a graph (*.spg), a model name, or "
            "package.module:factory."
        ),
    ],
    checkpoint: options.Checkpoint = None,
    window: streams.Window = "20ms",
    target: streams.Target = None,
    speed: Annotated[
        str,
        typer.Option(
            help="max: as fast as it goes, nothing is dropped. real: by the clock, and windows "
            "that come too late are dropped."
        ),
    ] = "max",
    state: streams.State = "keep",
    fit: streams.Fit = "exact",
    sensor: streams.Sensor = None,
    max_lag: Annotated[
        str, typer.Option(help="At real speed: a window is dropped that is later than this.")
    ] = "100ms",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for predictions.jsonl and summary.json, or a *.gif."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per window, then the summary.")
    ] = False,
) -> None:
    """Play a recording as a camera would deliver it, and say what the network sees, window by
    window: time, class, score, rates and latency.

    Each window is one frame and one time step; the network keeps its membranes from one to the
    next. Memory does not grow with the recording. Ctrl-C ends with the summary.

    Example: spikeport stream street.aedat4 --model net.spg --window 20ms --fit downsample

    Example: spikeport stream digits.npz --model max_former_digits --window 75ms --state reset:4

    Example: spikeport stream street.aedat4 --model lowered --speed real --fit crop -o street.gif
    """
    from spikeport.streaming import Stream
    from spikeport.train.data.pictures import require_picture
    from spikeport.train.data.stream import FileSource

    if out is not None and out.suffix:
        require_picture(out)
    source = FileSource(file)
    executor, ran = streams.open_stepper(model, checkpoint, given, target)
    stream = Stream(
        source,
        executor,
        window,
        state=state,
        fit=fit,
        speed=speed,
        max_lag=max_lag,
        sensor_size=streams.parse_sensor(sensor),
    )
    about = {"file": str(file), "format": source.format, "model": model, "target": ran}
    interrupted = _play(stream, out, as_json, about)
    if interrupted:
        output.print_note("interrupted; the summary is of what had come until then.")
        raise typer.Exit(130)


def _play(stream: Stream, out: Path | None, as_json: bool, about: dict[str, Any]) -> bool:
    """Run to the end or to Ctrl-C; whether it was that."""
    from spikeport.core.files import write_json

    interrupted = False
    with contextlib.ExitStack() as opened:
        told: list[Callable[[Prediction], None]] = [
            _print_json if as_json else lambda said: _print_line(said, stream.first_us)
        ]
        album = None
        if out is not None and out.suffix:
            album = streams.Album(lambda: stream.first_us)
            stream.on_frame = album.add
        elif out is not None:
            lines = opened.enter_context(streams.lines_file(out / streams.PREDICTIONS))
            told.append(lambda said: _write(lines.write, said))
        if not as_json:
            sys.stdout.write(_HEAD + "\n")
        try:
            for said in stream:
                for tell in told:
                    tell(said)
        except KeyboardInterrupt:
            interrupted = True
        summary = stream.summary()
        content = about | {"interrupted": interrupted} | summary.as_json()
        if out is not None and album is not None:
            album.save(out, streams.shown_ms(stream.window))
        elif out is not None:
            write_json(out / streams.SUMMARY, content)
    if as_json:
        sys.stdout.write(streams.json_line({"summary": content}))
    else:
        _print_summary(summary, about)
    return interrupted


def _write(write: Callable[[str], Any], said: Prediction) -> None:
    write(streams.json_line(said.as_json()))


def _print_json(said: Prediction) -> None:
    sys.stdout.write(streams.json_line(said.as_json()))
    sys.stdout.flush()


def _print_line(said: Prediction, first_us: int) -> None:
    rate = "-" if said.events_per_second is None else f"{said.events_per_second / 1e3:,.1f}"
    seconds = (said.end_us - first_us) / 1e6
    sys.stdout.write(
        f"{seconds:>10.3f}  {said.label:>5} {said.score:>9.4f}  {said.step:>4}  "
        f"{said.events:>9,} {rate:>9}  {100 * said.spike_rate:>8.2f}  "
        f"{1e3 * said.latency_s:>10.2f}\n"
    )
    sys.stdout.flush()


def _print_summary(summary: Summary, about: dict[str, Any]) -> None:
    console = output.console()
    told = [
        f"\n{about['file']} ({about['format']}): {summary.events:,} events in {summary.windows:,} "
        f"windows of {summary.window}, {summary.recorded_s:.3f} s; {summary.fit}.",
        f"{about['model']} on {about['target']}: {summary.predictions:,} predictions; state "
        f"{summary.state}, {summary.resets:,} resets.",
    ]
    if summary.outside:
        told.append(f"{summary.outside:,} events lie outside of the crop.")
    if summary.speed == "real":
        told.append(
            f"Too slow for the clock: {summary.dropped_windows:,} windows with "
            f"{summary.dropped_events:,} events were dropped."
            if summary.dropped_windows
            else "No window was dropped."
        )
    if summary.latency_s is not None:
        figures = ", ".join(f"{name} {1e3 * x:.2f}" for name, x in summary.latency_s.items())
        told.append(
            f"Latency in ms: {figures}. {summary.events_per_second or 0:,.0f} events/s, "
            f"{summary.real_time_factor or 0:.2f} times real time; "
            f"{100 * (summary.spike_rate or 0):.2f} % of the neurons fire per step."
        )
    told += [f"Repaired: {each}." for each in summary.repairs]
    for line in told:
        console.print(line)
