"""`spikeport train --qat lava`: small steps of the real thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spikeport.core.tensors import load_tensors

SMALL = ("data.train=validation", "batch_size=100", "micro_batch_size=20", "epochs=1")


def test_fine_tuning_reports_before_and_after(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Scales for four bits are not what is tested.
    monkeypatch.setattr("spikeport.finetune.CALIBRATION_SAMPLES", 40)
    asked = ("--qat", "lava", "--bits", "4", "--samples", "40", "-o", "tuned")
    done = cli("train", "digits_qat", *SMALL, "data.test=fit", *asked)
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "40 test samples, looked at once" in told and "simulated events" in told
    assert "4-bit weights, lowered after training (PTQ)" in told and "QAT minus PTQ" in told
    report = json.loads((tmp_path / "tuned" / "qat.json").read_text())
    for name in ("float", "ptq", "qat"):
        row = report[name]
        assert row["accuracy"] == row["correct"] / 40 and row["low"] <= row["accuracy"]
    assert report["float"]["accuracy"] >= 0.9 and len(report["epochs"]) == 1
    difference = report["qat"]["accuracy"] - report["ptq"]["accuracy"]
    assert report["recovered"]["difference"] == pytest.approx(difference)
    # Weights moved: what is stored is not what was loaded.
    moved, _ = load_tensors(tmp_path / "tuned" / "state.safetensors")
    assert any(name.startswith("optimizer.") for name in moved)
    # What was written is a network like any other.
    shown = cli("verify", "tuned/lowered")
    assert shown.code == 0, shown.err
    again = cli("train", "digits_qat", *SMALL, *asked)
    assert again.code == 2 and "already holds a training run" in again.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--qat", "lave"), "Did you mean lava"),
        (("--qat", "lava", "--device", "cuda"), "runs on the CPU"),
        (("--qat", "lava", "precision=bf16"), "not exact in half precision"),
        (("--qat", "lava", "--bits", "1", *SMALL), "weight_bits"),
        (("--samples", "3"), "go with --qat"),
        (("--checkpoint", "x.safetensors"), "go with --qat"),
    ],
)
def test_what_cannot_be_is_told(cli, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = cli("train", "digits_qat", "-o", "x", *words)
    assert done.code == 2 and told in " ".join(done.err.split()), done.err
    assert not list(tmp_path.iterdir())
