"""`spikeport stream` and `spikeport data show`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_sources import steady
from PIL import Image
from stepped_nets import everything, frames, plain

import spikeport
from spikeport import streaming
from spikeport.convert import StepInterpreter
from spikeport.streaming import Stream, loop
from spikeport.targets import lower
from spikeport.targets.artefact import write_artefact
from spikeport.train.data.pictures import ON
from spikeport.train.data.stream import FileSource

DAVIS = Path(__file__).parents[1] / "golden" / "recordings" / "davis346.aedat4"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with a recording of 200 ms on 8 x 8 pixels, and networks."""
    events = steady(200)
    columns = {name: events[name] for name in "xytp"}
    np.savez(tmp_path / "eight.npz", sensor_size=[8, 8], **columns)
    np.savez(tmp_path / "unstated.npz", **columns)  # type: ignore[arg-type]
    plain().save(tmp_path / "plain.spg")
    everything().save(tmp_path / "mean.spg")
    everything(steps=4).save(tmp_path / "four.spg")
    return tmp_path


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_one_json_line_per_window_and_the_summary(cli, made: Path) -> None:
    done = cli("stream", "eight.npz", "--model", "mean.spg", "--window", "25ms", "--json")
    assert done.code == 0, done.err
    *said, last = lines(done.out)
    source = FileSource(made / "eight.npz")
    expected = list(Stream(source, StepInterpreter(everything()), "25ms"))
    assert len(said) == len(expected) == 8
    for line, each in zip(said, expected, strict=True):
        assert (line["start_us"], line["end_us"]) == (each.start_us, each.end_us)
        assert line["scores"] == pytest.approx(each.scores, abs=1e-5)
        assert (line["label"], line["events"]) == (each.label, 25)
        assert line["latency_s"] > 0
    summary = last["summary"]
    assert summary["events"] == 200 and summary["dropped_windows"] == 0
    assert summary["format"] == "npz" and summary["target"] == "reference"
    assert not summary["interrupted"]


def test_the_table_has_a_line_per_window_and_says_what_was_done(cli, made: Path) -> None:
    done = cli(
        "stream", DAVIS, "--model", "plain.spg", "--window", "500ms", "--fit", "downsample",
        "--state", "reset:2",
    )  # fmt: skip
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    rows = [row for row in done.out.splitlines()[1:] if row and row.lstrip()[0].isdigit()]
    assert [row.split()[0] for row in rows[:5]] == ["0.500", "1.000", "1.500", "2.000", "2.500"]
    assert [row.split()[3] for row in rows[:5]] == ["1", "2", "1", "2", "1"]
    assert "78,830 events in 5 windows of 500 ms" in told
    assert "downsampled to 8 x 8: a pixel sums the events of 43.2 x 32.5 pixels" in told
    assert "state reset every 2 windows, 2 resets" in told


def test_a_folder_of_results(cli, made: Path) -> None:
    done = cli("stream", "eight.npz", "--model", "plain.spg", "-o", "out")
    assert done.code == 0, done.err
    said = lines((made / "out" / "predictions.jsonl").read_text())
    summary = json.loads((made / "out" / "summary.json").read_text())
    assert len(said) == summary["predictions"] == 10
    assert [each["window"] for each in said] == list(range(10))


def test_a_reader_that_goes_away_is_no_error(made: Path) -> None:
    """As `head` does."""
    words = ["stream", "eight.npz", "--model", "plain.spg", "-o", "out"]
    code = "from spikeport.cli import main; main()"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code, *words], stdout=writing, stderr=subprocess.PIPE, cwd=made
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not list((made / "out").iterdir())


def test_an_animation_with_the_predictions(cli, made: Path) -> None:
    done = cli("stream", "eight.npz", "--model", "plain.spg", "--window", "50ms", "-o", "out.gif")
    assert done.code == 0, done.err
    with Image.open(made / "out.gif") as image:
        assert image.n_frames == 4 and image.info["duration"] == 50
        assert image.size == (256, 256 + 20)


def test_an_animation_without_a_window_is_not_written_and_says_so(cli, made: Path) -> None:
    columns = {name: steady(200)[name][:0] for name in "xytp"}
    np.savez(made / "none.npz", sensor_size=[8, 8], **columns)
    done = cli("stream", "none.npz", "--model", "plain.spg", "-o", "none.gif")
    assert done.code == 0, done.err
    assert "none.gif was not written: no window" in " ".join(done.err.split())
    assert not (made / "none.gif").exists()


@pytest.mark.parametrize("target", ["onnx", "lava"])
def test_a_lowered_folder_runs_on_its_target(cli, made: Path, target: str) -> None:
    options = {"calibration": frames(4, batch=4), "input_max": 30} if target == "lava" else {}
    lowered = lower(plain(), target, **({"steps": 4} if target == "onnx" else options))
    write_artefact(lowered, frames(4), made / "lowered")
    done = cli("stream", "eight.npz", "--model", "lowered", "--json")
    assert done.code == 0, done.err
    assert lines(done.out)[-1]["summary"]["target"] == target
    assert lines(done.out)[-1]["summary"]["predictions"] == 10
    wrong = cli("stream", "eight.npz", "--model", "lowered", "--target", "reference")
    assert wrong.code == 2 and f"lowered to {target}" in wrong.err


def test_ctrl_c_ends_with_the_summary(cli, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predict, count = Stream._predict, 0

    def interrupted(self: Stream, *given: Any) -> Any:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return predict(self, *given)

    monkeypatch.setattr(Stream, "_predict", interrupted)
    done = cli("stream", "eight.npz", "--model", "plain.spg", "-o", "out", "--json")
    assert done.code == 130 and "interrupted" in done.err
    assert lines(done.out)[-1]["summary"]["predictions"] == 3
    assert len(lines((made / "out" / "predictions.jsonl").read_text())) == 3
    assert json.loads((made / "out" / "summary.json").read_text())["interrupted"]


def test_real_speed_waits_for_the_clock_and_tells_drops(
    cli, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        time = 0.0

        def now(self) -> float:
            # As if each look at the clock took 30 ms.
            self.time += 0.03
            return self.time

        def sleep(self, seconds: float) -> None:
            self.time += seconds

    monkeypatch.setattr(loop, "WallClock", Clock)
    done = cli("stream", "eight.npz", "--model", "plain.spg", "--speed", "real", "--max-lag", "9ms")
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "Too slow for the clock:" in told and "events were dropped" in told
    done = cli("stream", "eight.npz", "--model", "plain.spg", "--speed", "real", "--max-lag", "9s")
    assert "No window was dropped." in done.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nothing.npz", "--model", "plain.spg"), "does not exist"),
        (("eight.npz", "--model", "nothing"), "no model has this name"),
        (("eight.npz", "--model", "plain.spg", "--window", "20"), "is no window"),
        (("eight.npz", "--model", "plain.spg", "--state", "never"), "says nothing about states"),
        (("eight.npz", "--model", "plain.spg", "--speed", "reel"), "no speed has this name"),
        (("eight.npz", "--model", "plain.spg", "--sensor", "9by9"), "is no size"),
        (("eight.npz", "--model", "plain.spg", "--sensor", "9x9"), "the source states 8 x 8"),
        (("unstated.npz", "--model", "plain.spg", "--fit", "crop"), "does not state the size"),
        (("eight.npz", "--model", "four.spg"), "--state reset:4"),
        (("eight.npz", "--model", "plain.spg", "--target", "nir"), "whole samples only"),
        (("eight.npz", "--model", "max_former_digits", "--target", "lava"), "spikeport lower"),
        (("eight.npz", "--model", "plain.spg", "-o", "x.mp4"), "no picture"),
        ((DAVIS, "--model", "plain.spg"), "--fit crop"),
    ],
)
def test_what_cannot_be_meant_is_refused(cli, made: Path, words: tuple[str, ...], why: str) -> None:
    done = cli("stream", *words)
    assert done.code == 2
    assert why in " ".join(done.err.split())
    assert not (made / "x.mp4").exists()


# -- pictures -----------------------------------------------------------------------------------


def test_windows_of_a_recording(cli, made: Path) -> None:
    done = cli("data", "show", "eight.npz", "--window", "50ms", "-o", "eight.png")
    assert done.code == 0, done.err
    events = steady(200)[:50]
    counts = np.zeros((2, 8, 8), int)
    np.add.at(counts, (events["p"].astype(int), events["y"], events["x"]), 1)
    with Image.open(made / "eight.png") as image:
        seen = np.asarray(image.convert("RGB"))[16:256:32, 16:256:32]
    white = (seen == 255).all(2)
    assert (white == (counts.sum(0) == 0)).all()
    full = max(1, np.percentile(counts[counts > 0], 99))
    only_on = (counts[1] >= full) & (counts[0] == 0)
    assert only_on.any() and (seen[only_on] == ON).all()


def test_a_moving_picture_of_a_real_recording(cli, made: Path) -> None:
    done = cli("data", "show", DAVIS, "--window", "100ms", "--count", "5", "-o", "street.gif")
    assert done.code == 0, done.err
    assert "ON blue, OFF vermilion" in " ".join(done.out.split())
    with Image.open(made / "street.gif") as image:
        assert image.n_frames == 5 and image.info["duration"] == 100
        assert image.size == (346, 260 + 20)


def test_surfaces_fade(cli, made: Path) -> None:
    words = ("data", "show", "eight.npz", "--kind", "surface", "--window", "200ms")
    for tau in ("1ms", "10s"):
        assert cli(*words, "--tau", tau, "-o", f"{tau}.png").code == 0
    dark = []
    for tau in ("1ms", "10s"):
        with Image.open(made / f"{tau}.png") as image:
            dark.append(int((np.asarray(image.convert("L"))[:256] < 200).sum()))
    assert dark[0] < dark[1] / 4


def test_what_a_network_says_is_written_below(cli, made: Path) -> None:
    words = ("data", "show", DAVIS, "--window", "200ms", "--count", "3", "--fit", "downsample")
    done = cli(*words, "--model", "plain.spg", "-o", "said.gif")
    assert done.code == 0, done.err
    assert "downsampled to 8 x 8" in " ".join(done.err.split())
    with Image.open(made / "said.gif") as image:
        assert image.n_frames == 3 and image.size == (256, 276)


def test_a_digit_step_by_step(cli, made: Path) -> None:
    words = ("data", "show", "digits", "--index", "7", "-o", "digit.png")
    plain(32).save(made / "net.spg")
    done = cli(*words, "--model", "net.spg")
    assert done.code == 0, done.err
    with Image.open(made / "digit.png") as image:
        assert image.size == (516, 2 * 276 + 4)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("eight.npz", "-o", "x.bmp"), "no picture"),
        (("eight.npz", "-o", "x.png", "--kind", "movie"), "no kind of picture"),
        (("digits", "-o", "x.png", "--kind", "surface"), "without times"),
        (("digits", "-o", "x.png", "--index", "1000"), "has 1,000 samples"),
        (("unstated.npz", "-o", "x.png"), "--sensor WIDTHxHEIGHT"),
        (("eight.npz", "-o", "x.png", "--tau", "long", "--kind", "surface"), "no duration"),
        (
            ("eight.npz", "-o", "x.png", "--kind", "surface", "--model", "plain.spg"),
            "reads frames, not surfaces",
        ),
        (("dogits", "-o", "x.png"), "Did you mean digits"),
        (("nothing.npz", "-o", "x.png"), "does not exist"),
    ],
)
def test_pictures_that_cannot_be_are_refused(
    cli, made: Path, words: tuple[str, ...], why: str
) -> None:
    done = cli("data", "show", *words)
    assert done.code == 2
    assert why in " ".join(done.err.split())
    assert not list(made.glob("x.*"))


def test_the_python_name_is_the_function() -> None:
    assert spikeport.stream is streaming.stream
