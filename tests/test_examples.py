"""The programs in `examples/` run, and find what they say that they look for."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from spikeport.targets.artefact import verify_artefact

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder; programs may set the number of threads."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The names that a program leaves."""
    # In this process: a fresh one would import torch again.
    monkeypatch.setattr(sys, "argv", [name])
    return runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_a_network_of_ones_own_goes_all_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = run("own_network.py", monkeypatch)
    told = capsys.readouterr().out
    assert "in 3 layers" in told and told.count("spikes again") == 3
    assert left["report"].accuracy.top1 > 0.5  # type: ignore[attr-defined]
    layers = pd.read_csv("own_network/layers.csv")
    assert layers["energy_uJ"].sum() == pytest.approx(left["total"]["energy_uJ"])  # type: ignore[index]
    assert all(verify_artefact(Path("own_network") / to).ok for to in ("lava", "nir", "onnx"))
