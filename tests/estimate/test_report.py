"""Tables, files and the terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import FileError
from spikeport.estimate import DataInfo, EnergyReport, Term, estimate
from spikeport.estimate.numbers import (
    between,
    hundredths,
    percent,
    points,
    si,
    signed,
    significant,
)
from spikeport.estimate.stages import Stage, stage_of

DATA = DataInfo("moving digits", "test", "simulated events from real images [v1]")


@pytest.fixture
def report(small_net: Graph, frames: Tensor) -> EnergyReport:
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    return estimate(Interpreter(small_net), [(frames, labels)], data=DATA)


def text(report: EnergyReport, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(report.render())
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_stages_layers_and_steps_have_one_total(report: EnergyReport) -> None:
    tables = report.tables
    groups = tables.grouped()
    assert sum((tables.energy(names) for names in groups.values()), start=0) == tables.energy(
        tables.names
    )
    for term in tables.terms:
        by_stage = sum(tables.count(names, term) for names in groups.values())
        assert by_stage == tables.count(tables.names, term) == int(report.counts[term.value].sum())
    assert report.picojoule * 7 == tables.energy(tables.names)
    total = report.totals["energy_uJ"]
    for table in (report.layers, report.stages, report.steps):
        assert table["energy_uJ"].sum() == pytest.approx(total, rel=1e-12)
    assert report.stages["energy_share"].sum() == pytest.approx(1)
    (paper,) = report.papers
    published = report.stages["energy_uJ[max-former]"]
    assert published.sum() == pytest.approx(float(paper.picojoule) / 1e6)
    assert (published > 0).sum() == 3


def test_layer_figures(report: EnergyReport) -> None:
    row = report.layers.set_index("node").loc["conv2"]
    tally = report.tally
    assert row["sop"] == tally.total("conv2", Term.SOP) / 7
    assert row["firing_rate_in"] == tally.total("conv2", Term.EVENTS_IN) / (7 * 4 * 4 * 36)
    by_rate = row["firing_rate_in"] * 4 * 5 * 9 * 36
    assert row["sop_rate_formula"] == pytest.approx(by_rate)
    deviation = (by_rate - row["sop"]) / row["sop"] * 100
    assert row["rate_formula_deviation_percent"] == pytest.approx(deviation)
    assert row["energy_uJ_low"] < row["energy_uJ"] < row["energy_uJ_high"]
    # Spike or event input: padding is what the formula adds.
    assert report.layers.set_index("node").loc["head", "rate_formula_deviation_percent"] == 0


def test_neuron_figures_and_bytes(report: EnergyReport) -> None:
    row = report.layers.set_index("node").loc["lif1"]
    spikes = report.tally.total("lif1", Term.SPIKES_OUT)
    assert row["firing_rate_out"] == spikes / (7 * 4 * 4 * 36)
    assert row["bytes_state"] == 4 * 4 * 36
    weights = 4 * (4 * 2 * 9 + 4 + 5 * 4 * 9 + 3 * 5 + 3)
    assert report.totals["bytes_weights"] == weights == report.stages["bytes_weights"].sum()


def test_files_hold_the_report(report: EnergyReport, tmp_path: Path) -> None:
    report.to_json(tmp_path / "report.json")
    report.to_csv(tmp_path / "layers.csv")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["data"]["provenance"] == DATA.provenance
    assert content["samples"] == 7
    assert content["energy_model"]["id"] == "horowitz45-fp32"
    assert content["energy_model"]["constants"]["ac"]["source"]
    assert content["accuracy"]["count"] == 7
    assert [row["step"] for row in content["time_steps"]] == [0, 1, 2, 3, "once"]
    layers = pd.read_csv(tmp_path / "layers.csv")
    assert layers["node"].tolist() == report.layers["node"].tolist()
    assert layers["energy_uJ"].tolist() == report.layers["energy_uJ"].tolist()
    first = (tmp_path / "report.json").read_bytes()
    report.to_json(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_bytes() == first


def test_file_that_cannot_be_written(report: EnergyReport, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FileError):
        report.to_csv(tmp_path / "taken" / "layers.csv")


@pytest.mark.parametrize("width", [100, 120])
def test_terminal(report: EnergyReport, width: int) -> None:
    shown = text(report, width)
    assert shown.splitlines()[0].startswith("Energy report")
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for expected in (
        *("moving digits", "split test", "7 samples", DATA.provenance),
        *("horowitz45-fp32", "memory accesses", "static power", "unverified"),
        *("patch_embed1.conv", "stage1.0.mlp.conv", "energy uJ", "patch embedding", "MLP", "head"),
        *(
            "max-former",
            "commuted",
            "zero by rule",
            "95 % of the mean over samples, bootstrap",
            "rate formula",
            "top-1",
        ),
    ):
        assert expected in shown, expected


def test_long_paths_are_not_cut_off(small_net: Graph, frames: Tensor) -> None:
    path = "patch_embed1.max_embed1.embedding_of_the_first_stage.embed_conv"
    graph = Graph(outputs=small_net.outputs)
    for node in small_net:
        graph.add(node.name, node.op, node.inputs, path=path if node.name == "conv2" else node.path)
    shown = text(estimate(Interpreter(graph), [(frames, None)]))
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    in_first_column = "".join(line.split("  ")[0].strip() for line in shown.splitlines())
    assert path in in_first_column.replace(" ", "")


def test_one_sample_and_no_events(small_net: Graph) -> None:
    report = estimate(Interpreter(small_net), [(torch.zeros(4, 1, 2, 6, 6), None)])
    assert report.totals["energy_uJ_std"] is None
    json.dumps(report.as_dict(), allow_nan=False)
    assert "1 sample, T = 4" in text(report)


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("patch_embed1.max_embed1.embed_conv", Stage("1", "patch embedding")),
        ("patch_embed2", Stage("2", "patch embedding")),
        ("stage1.0.mixer.conv", Stage("1", "token mixing")),
        ("stage2.3.attn.q_conv", Stage("2", "token mixing")),
        ("stage2.3.mlp.fc1_conv", Stage("2", "MLP")),
        ("stage2.3", Stage("2", "other")),
        ("block.0.attn.head_conv", Stage("", "token mixing")),
        ("head", Stage("", "head")),
        ("head_lif", Stage("", "head")),
        ("features.3", Stage("", "features")),
        ("", Stage("", "(top level)")),
    ],
)
def test_stage_of_a_path(path: str, stage: Stage) -> None:
    assert stage_of(path) == stage


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (65_028_096, "65.0 M"),
        (999_999, "1.00 M"),
        (999, "999"),
        (0, "0"),
        (12.345, "12.3"),
        (1234, "1.23 k"),
        (2.5e9, "2.50 G"),
        (None, "-"),
        (float("nan"), "-"),
    ],
)
def test_counts_for_people(value: float | None, shown: str) -> None:
    assert si(value) == shown


def test_figures_for_people() -> None:
    assert significant(0.00471234, 4) == "0.004712"
    assert significant(1234.5) == "1230"
    assert significant(9.999) == "10.0"
    assert significant(1.2e-9) == "1.2e-09"
    assert percent(0.1234) == "12.3"
    assert percent(1.0) == "100"


def test_shares_and_their_differences_are_told_in_percent() -> None:
    assert hundredths(0.98796) == "98.80"
    assert between(0.9791, 0.99349) == "97.9 to 99.3"
    assert points(-0.002) == "-0.20"
    assert signed(0.02, -0.034, 0.0) == "+2.00 (-3.4 to +0.0)"


def test_wide_intervals_are_told(small_net: Graph) -> None:
    make = torch.Generator().manual_seed(2)
    rates = torch.linspace(0, 2, 6).reshape(1, 6, 1, 1, 1).expand(4, 6, 2, 6, 6)
    uneven = estimate(Interpreter(small_net), [(torch.poisson(rates, generator=make), None)])
    assert len(uneven.wide) == 2
    assert "95 % interval of the network's energy" in text(uneven)
    assert uneven.as_dict()["wide_intervals"] == uneven.wide
    equal = torch.ones(4, 6, 2, 6, 6)
    assert not estimate(Interpreter(small_net), [(equal, None)]).wide
    (only,) = estimate(Interpreter(small_net), [(equal[:, :1], None)]).wide
    assert "one sample" in only


def test_wide_interval_of_the_accuracy_is_told(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net)
    few = estimate(executor, [(frames, torch.zeros(7, dtype=torch.int64))])
    assert few.accuracy is not None
    low, high = few.accuracy.interval
    assert f"the accuracy lies between {100 * low:.1f} and {100 * high:.1f} %" in few.wide[-1]
    assert few.as_dict()["accuracy"]["top1_low"] == low
    assert "(Wilson)" in text(few)
    many = estimate(executor, [(frames, torch.zeros(7, dtype=torch.int64))] * 300)
    assert not any("accuracy" in each for each in many.wide)
