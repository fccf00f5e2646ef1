"""`spikeport evaluate`: targets on data."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

NET = ("evaluate", "max_former_digits", "--samples", 20)


def test_everything_is_written(cli, tmp_path: Path) -> None:
    targets = "reference,onnx:onnxruntime-step,lava"
    done = cli(*NET, "--target", targets, "--steps", "all", "--exit", "0.9", "-o", "results")
    assert done.code == 0, done.err
    folder = tmp_path / "results"
    told = json.loads((folder / "evaluation.json").read_text())
    assert not (folder / "progress.npz").exists()
    found = told["targets"]
    assert list(found) == list(told["timing"]) == targets.split(",")
    assert (told["samples"], told["steps"]) == (20, 4)
    assert (found["reference"]["latency_steps"], found["lava"]["latency_steps"]) == (0, 13)
    assert found["reference"]["mcnemar_p"] == 1.0
    step = found["onnx:onnxruntime-step"]
    # Float32 in another order may flip a spike.
    assert step["energy"]["sop"] == pytest.approx(found["reference"]["energy"]["sop"], rel=1e-4)
    assert found["lava"]["energy"]["uncounted"] == []
    for each in found.values():
        low, high = each["interval"]
        assert low < each["accuracy"] <= high
        assert [row["steps"] for row in each["curve"]] == [1, 2, 3, 4]
        energies = [row["energy_uJ"] for row in each["curve"]]
        assert energies == sorted(energies)
        assert energies[-1] == pytest.approx(each["energy"]["energy_uJ"])
        assert each["curve"][-1]["accuracy"] == each["accuracy"]
        assert [row["confidence"] for row in each["early_exit"]] == [0.9]
    assert len(told["agreements"]) == 3
    rows = pd.read_csv(folder / "predictions.csv")
    assert len(rows) == 20 and "prediction[lava]" in rows
    assert (folder / "confusion_onnx-onnxruntime-step.svg").stat().st_size > 1000
    assert "simulated events" in (folder / "accuracy_energy.svg").read_text()
    text = " ".join(done.out.split())
    assert "T + 13" in text and "samples/s" in text and "simulated events" in text


def test_the_short_table(cli) -> None:
    done = cli(*NET)
    assert done.code == 0, done.err
    assert "ECE %" in done.out and "simulated events" in done.out
    assert "uJ" not in done.out and "samples/s" not in done.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "lava:pmp"), "pump"),
        (("--target", "reference,reference"), "twice"),
        (("--energy", "horowitz"), "horowitz45"),
        (("--exit", "high"), "Write --exit"),
        (("--exit", "1.5"), "confidence"),
        (("--set", "search=bias"), "--bits"),
        (("--resume",), "--out"),
        (("-o", "scores.json"), "Name a folder"),
        (("--steps", "al"), "nor all"),
        (("--steps", "0"), "nor all"),
        (("--workers", "0"), "workers"),
        (("--ray", "auto", "--timing"), "at rest"),
        (("--target", "lava", "--bits", "8", "--ray", "auto"), "--ray"),
        (("--target", "lava", "--bits", "8", "--workers", "2"), "--workers"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(cli, options, message) -> None:
    done = cli(*NET, *options)
    assert done.code == 2
    assert message in " ".join(done.err.split())
