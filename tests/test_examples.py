"""The programs in `examples/` run, and find what they say that they look for."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import spikeport
from spikeport.estimate import ENERGY_MODELS, PAPER_MODES
from spikeport.targets.artefact import verify_artefact

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder; programs may set the number of threads."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def run(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
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
    assert left["report"].accuracy.top1 > 0.5
    layers = pd.read_csv("own_network/layers.csv")
    assert layers["energy_uJ"].sum() == pytest.approx(left["total"]["energy_uJ"])
    assert all(verify_artefact(Path("own_network") / to).ok for to in ("lava", "nir", "onnx"))


def test_every_convention_is_charged_for_one_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = run("compare_energy_models.py", monkeypatch)
    table = pd.read_csv("energy_models/conventions.csv").set_index("name")
    assert set(ENERGY_MODELS) | set(PAPER_MODES) <= {name.partition(":")[0] for name in table.index}
    counted = left["report"].tally
    for name in ("horowitz45-fp32", "loihi1-davies"):
        alone = spikeport.energy(counted, name).totals["energy_uJ"]
        assert table.loc[name, "uJ"] == pytest.approx(alone)
    assert table["source"].notna().all() and table.loc["horowitz45-fp32", "x fp32"] == 1
    # The parts of the network make up the whole.
    parts = left["parts"].sum()
    assert parts["loihi1-davies"] == pytest.approx(table.loc["loihi1-davies", "uJ"])
    assert Path("energy_models/conventions.png").stat().st_size > 10_000
    assert "spikformer:stem=published,repeat=once" in capsys.readouterr().out


def test_rates_sparsity_and_spectra_are_those_of_the_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = run("firing_rates.py", monkeypatch)
    counted = left["counts"].set_index("path")
    table = left["table"]
    assert len(table) == 16
    for path, row in table.iterrows():
        assert row["mean"] == pytest.approx(counted.loc[path, "firing_rate_out"])
        assert 0 <= row["silent"] < row["neurons"]
    assert left["sparsity"]["operations left %"].between(0, 100).all()
    assert len(left["neurons"]) == 7
    assert Path("firing_rates.png").stat().st_size > 10_000
