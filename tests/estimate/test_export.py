"""Files of a report: tables, the row for a paper, figures."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor

from spikeport import __version__
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.storage import fingerprint
from spikeport.estimate import ENERGY_MODELS, LAYER_COLUMNS, DataInfo, EnergyReport, Term, estimate
from spikeport.estimate.export import export
from spikeport.estimate.export.paper_row import paper_row
from spikeport.estimate.export.plots import energy_by_kind, energy_figure, firing_rates
from spikeport.estimate.origin import git_state

FILES = ["layers.csv", "layers.parquet", "layers.json", "stages.csv", "report.json"]
FILES += ["table.tex", "table.md", "neurobench.json", "network.json"]
FIGURES = ["energy.svg", "energy.png", "rates.svg", "rates.png"]


@pytest.fixture
def report(small_net: Graph, frames: Tensor) -> EnergyReport:
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    data = DataInfo("digits", "test", "simulated", "ab" * 32)
    return estimate(Interpreter(small_net), [(frames, labels)], data=data, seed=5)


def test_every_file_carries_its_origin(report: EnergyReport, tmp_path: Path) -> None:
    written = export(report, tmp_path)
    assert [path.name for path in written] == FILES + FIGURES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES + FIGURES)
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".png":
            with Image.open(path) as image:
                content = image.info["Description"].encode()
                assert image.width > 500
        for fact in (__version__, fingerprint(report.tally.graph), "digits", "ab" * 32, "seed"):
            assert fact.encode() in content, (path.name, fact)


def test_the_network_file_adds_up_to_the_report(report: EnergyReport, tmp_path: Path) -> None:
    export(report, tmp_path, name="net", command="spikeport estimate net")
    told = json.loads((tmp_path / "network.json").read_text())
    assert (told["format"], told["version"], told["model"]) == ("spikeport-network", 1, "net")
    assert told["command"] == "spikeport estimate net"
    assert [node["node"] for node in told["nodes"]] == [node.name for node in report.tally.graph]
    assert [node["inputs"] for node in told["nodes"]] == [
        list(node.inputs) for node in report.tally.graph
    ]
    layers = {row["node"]: row for row in report.layers.to_dict(orient="records")}
    for name, rates in told["rates"].items():
        assert sum(rates) / len(rates) == pytest.approx(layers[name]["firing_rate_out"])
    first = told["energy_models"][0]
    assert first["id"] == report.model.id
    assert len({each["id"] for each in told["energy_models"]}) == len(ENERGY_MODELS)
    for name, row in layers.items():
        spent = sum(kind.get(name, 0.0) for kind in first["kinds"].values())
        assert spent == pytest.approx(row["energy_uJ"])
    for each in told["energy_models"]:
        spent = sum(value for kind in each["kinds"].values() for value in kind.values())
        assert spent == pytest.approx(each["energy_uJ"])


def test_tables_are_the_same_in_all_formats(report: EnergyReport, tmp_path: Path) -> None:
    export(report, tmp_path)
    csv, parquet = (
        pd.read_csv(tmp_path / "layers.csv"),
        pd.read_parquet(tmp_path / "layers.parquet"),
    )
    assert list(csv.columns) == list(parquet.columns) == list(LAYER_COLUMNS)
    assert csv["energy_uJ"].tolist() == parquet["energy_uJ"].tolist()
    rows = json.loads((tmp_path / "layers.json").read_text())["layers"]
    assert [row["energy_uJ"] for row in rows] == csv["energy_uJ"].tolist()
    metadata = pq.read_schema(tmp_path / "layers.parquet").metadata
    assert metadata[b"seed"] == b"5"


def test_row_for_a_paper(report: EnergyReport, tmp_path: Path) -> None:
    row = paper_row(report, "my_net & co")
    assert float(row["Params (M)"]) == pytest.approx((72 + 4 + 180 + 15 + 3) / 1e6, rel=1e-3)
    assert row["T"] == "4"
    assert float(row["SOPs (G)"]) == pytest.approx(report.totals["sop"] / 1e9, rel=1e-3)
    energy = float(row["Energy (mJ)"].split()[0])
    assert energy == pytest.approx(float(report.picojoule) / 1e9, rel=1e-3)
    export(report, tmp_path, "my_net & co")
    tex = (tmp_path / "table.tex").read_text()
    assert r"my\_net \& co" in tex and r"\toprule" in tex and r"$\pm$" in tex
    body = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert [line.replace(r"\&", "").count("&") for line in body] == [5, 5]
    markdown = (tmp_path / "table.md").read_text()
    assert "| my_net & co |" in markdown
    for text in (tex, markdown):
        assert "horowitz45-fp32, unverified constants: mac, ac; excludes: memory" in text


def test_stages_as_a_file(report: EnergyReport, tmp_path: Path) -> None:
    export(report, tmp_path)
    table = pd.read_csv(tmp_path / "stages.csv", dtype={"stage": str}, keep_default_na=False)
    assert list(zip(table["stage"], table["part"], strict=True)) == [
        ("1", "patch embedding"),
        ("1", "MLP"),
        ("", "(top level)"),
        ("", "head"),
    ]
    assert table["energy_uJ"].sum() == pytest.approx(report.totals["energy_uJ"])


def test_figures_show_the_counts(report: EnergyReport, tmp_path: Path) -> None:
    names = report.tables.names
    kinds = energy_by_kind(report.energies, names)
    assert sum(map(sum, kinds.values())) == pytest.approx(report.totals["energy_uJ"])
    rates = firing_rates(report, ["lif1", "lif2"])
    layers = report.layers.set_index("node")
    for name, steps in zip(("lif1", "lif2"), rates, strict=True):
        assert len(steps) == 4
        assert sum(steps) / 4 == pytest.approx(layers.loc[name, "firing_rate_out"])
    assert Term.SOP.value in kinds or "sop_unit_spikes" in kinds
    axes = energy_figure(report).axes[0]
    longest = max(map(sum, zip(*kinds.values(), strict=True)))
    assert axes.get_xlim() == (0, pytest.approx(1.05 * longest))
    assert "horowitz45-fp32, 2 of 2 constants unverified" in axes.get_xlabel()
    first = export(report, tmp_path / "a")
    second = export(report, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() is None
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    clean = git_state()
    assert clean is not None and len(clean) == 40
    (tmp_path / "new").write_text("")
    assert git_state() == f"{clean} with changes"
