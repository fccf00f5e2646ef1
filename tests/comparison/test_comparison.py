"""Rows from results, each against the first, and the figure."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from spikeport.comparison import compare
from spikeport.comparison.front import front
from spikeport.comparison.pareto import pareto_figure
from spikeport.comparison.reading import _of_report, told_apart
from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.formats import BITS_STAMP, EVALUATION_STAMP
from spikeport.estimate.paired import paired
from spikeport.estimate.stats import Share, wilson
from spikeport.estimate.unpaired import unpaired
from spikeport.report.artefacts import EnergyArtefact, energy

FIRST = [True] * 17 + [False] * 3
SECOND = [False] * 2 + [True] * 17 + [False]


def target(hits: list[bool], uj: float, model: str) -> dict[str, Any]:
    right = sum(hits)
    return {
        "accuracy": right / len(hits),
        "interval": wilson(right, len(hits)),
        "correct": right,
        "agreement": 1.0,
        "difference": 0.0,
        "difference_interval": [0.0, 0.0],
        "mcnemar_p": 1.0,
        "latency_steps": 2,
        "parameters": 1234,
        "energy": {
            "model": model,
            "energy_uJ": uj,
            "energy_uJ_interval": [0.9 * uj, 1.2 * uj],
            "sop": 1e6 * uj,
        },
        "curve": [
            {
                "steps": t,
                "accuracy": 0.5,
                "correct": 10,
                "interval": [0, 1],
                "energy_uJ": t * uj / 4,
            }
            for t in (1, 4)
        ],
    }


def evaluation(
    folder: Path,
    targets: dict[str, tuple[list[bool], float]],
    *,
    model: str = "net",
    energy: str = "horowitz45-fp32",
    data: str = "digits",
    sha: str = "aa",
    names: str = "",
    steps: int = 4,
) -> Path:
    """What `evaluate -o` writes, of 20 samples."""
    folder.mkdir(parents=True)
    content = {
        "format": EVALUATION_STAMP[0],
        "version": EVALUATION_STAMP[1],
        "data": {"name": data, "split": "test", "provenance": "made up", "sha256": sha},
        "samples": 20,
        "steps": steps,
        "classes": [],
        "targets": {name: target(hits, uj, energy) for name, (hits, uj) in targets.items()},
        "origin": {"model": model},
    }
    (folder / "evaluation.json").write_text(json.dumps(content))
    table = pd.DataFrame({"sample": [f"{names}{i}" for i in range(20)], "label": 1})
    for name, (hits, _) in targets.items():
        table[f"prediction[{name}]"] = [int(hit) for hit in hits]
    table.to_csv(folder / "predictions.csv", index=False)
    return folder


def two(tmp_path: Path, **other: Any) -> list[Path]:
    return [
        evaluation(tmp_path / "a", {"reference": (FIRST, 1.0)}),
        evaluation(tmp_path / "b", {"reference": (SECOND, 2.0)}, **other),
    ]


def test_the_same_samples_are_compared_in_pairs(tmp_path: Path) -> None:
    found = compare(two(tmp_path))
    assert [row.name for row in found.rows] == [f"net, {tmp_path / 'a'}", f"net, {tmp_path / 'b'}"]
    assert found.against[0] is None
    change = found.against[1].accuracy
    known = paired(FIRST, SECOND)
    assert (change.method, change.reason) == ("paired", "")
    assert (change.difference, change.low, change.high) == (0.0, *known.interval)
    assert change.p_value == known.p_value == 1.0
    saving = found.against[1].energy
    assert (saving.difference, saving.ratio) == (1.0, 2.0)
    # 0.9 to 1.2 and 1.8 to 2.4, put together by hand.
    assert saving.low == pytest.approx(1 - (0.2**2 + 0.2**2) ** 0.5)
    assert saving.high == pytest.approx(1 + (0.4**2 + 0.1**2) ** 0.5)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"sha": "bb"}, "other frames by their hash"),
        ({"sha": "bb", "steps": 2}, "other frames by their hash, T is 2 and 4"),
        ({"sha": ""}, "no hash says that the samples are the same"),
        ({"names": "x"}, "other samples"),
    ],
)
def test_other_samples_are_compared_as_independent(tmp_path: Path, other, reason: str) -> None:
    change = compare(two(tmp_path, **other)).against[1].accuracy
    known = unpaired(Share(17, 20), Share(17, 20))
    assert (change.method, change.reason) == ("unpaired", reason)
    assert (change.low, change.high, change.p_value) == (*known.interval, known.p_value)


def test_without_single_answers_there_are_no_pairs(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    (second / "predictions.csv").unlink()
    change = compare([first, second]).against[1].accuracy
    assert change.method == "unpaired"
    assert "are not stored" in change.reason


def test_energies_of_two_models_are_not_compared(tmp_path: Path) -> None:
    found = compare(two(tmp_path, energy="loihi1-davies"))
    assert found.against[1].energy is None
    assert found.against[1].energy_reason == (
        "another energy model: loihi1-davies, not horowitz45-fp32"
    )
    assert found.against[1].accuracy.method == "paired"
    assert found.figure == [0]


def test_other_data_are_not_compared(tmp_path: Path) -> None:
    found = compare(two(tmp_path, data="gestures"))
    assert found.against[1].accuracy is None
    assert found.against[1].energy is None
    assert found.against[1].accuracy_reason == "other data: gestures/test, not digits/test"
    assert found.figure == [0]


def test_targets_and_steps_are_rows(tmp_path: Path) -> None:
    both = {"reference": (FIRST, 1.0), "lava": (SECOND, 2.0)}
    place = evaluation(tmp_path / "a", both, sha="")
    found = compare([f"mine={place}"], curve=True)
    assert [row.name for row in found.rows] == [
        *("mine, reference", "mine, reference, T=1", "mine, lava", "mine, lava, T=1")
    ]
    assert [row.steps for row in found.rows] == [4, 1, 4, 1]
    assert found.rows[1].energy.mean == 0.25
    # One run: no hash is needed to know that the samples are the same.
    methods = [each.accuracy.method for each in found.against[1:]]
    assert methods == ["unpaired", "paired", "unpaired"]
    assert found.rows[0].parameters == 1234
    assert found.rows[0].latency_steps == 2


def bits_row(bits: int | None, correct: int, difference: float) -> dict[str, Any]:
    return {
        "bits": bits, "correct": correct, "count": 20, "difference": difference,
        "difference_low": difference - 0.1, "difference_high": difference + 0.1,
        "p_value": 0.5, "sop": 10.0, "energy_uj": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_widths_are_rows(tmp_path: Path, suffix: str) -> None:
    rows = [bits_row(None, 19, 0.0), bits_row(4, 16, -0.15), bits_row(8, 19, 0.0)]
    facts = {"model": "net", "data": "digits/test", "energy_model": "loihi1-davies"}
    path = tmp_path / f"bits{suffix}"
    if suffix == ".csv":
        pd.DataFrame(rows).astype({"bits": "Int64"}).assign(**facts).to_csv(path, index=False)
    else:
        stamp = {"format": BITS_STAMP[0], "version": BITS_STAMP[1]}
        path.write_text(json.dumps({**stamp, **facts, "uncounted": [], "rows": rows}))
    found = compare([path])
    # The same from a folder that holds it.
    assert [row.source for row in compare([tmp_path]).rows] == [path] * 3
    assert [row.name for row in found.rows] == ["net, float", "net, 4 bits", "net, 8 bits"]
    change = found.against[1].accuracy
    assert (change.method, change.difference, change.p_value) == ("paired", -0.15, 0.5)
    assert found.against[1].energy.low is None
    assert found.front == {0, 2}


def test_the_front_is_that_of_brute_force(tmp_path: Path) -> None:
    points = [(10, 1.0), (12, 2.0), (11, 2.0), (12, 3.0), (10, 1.0), (15, 9.0)]
    places = [
        evaluation(tmp_path / str(i), {"reference": ([True] * n + [False] * (20 - n), uj)})
        for i, (n, uj) in enumerate(points)
    ]
    rows = compare(places).rows
    worse = {
        i
        for i, (n, uj) in enumerate(points)
        for m, other in points
        if (m >= n and other < uj) or (m > n and other <= uj)
    }
    assert front(rows) == set(range(len(points))) - worse == {0, 1, 4, 5}


def test_rows_of_one_name_and_place_are_numbered(tmp_path: Path) -> None:
    (row,) = compare([evaluation(tmp_path / "a", {"reference": (FIRST, 1.0)})]).rows
    assert [each.name for each in told_apart([row, row])] == ["net", "net (2)"]


def test_files_hold_all_rows_and_text_is_escaped(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    evil = "</text><script>--> & $x_{$\n"
    found = compare([f"{evil}={first}", second], tables=["max-former-imagenet"])
    paths = found.save(tmp_path / "out")
    assert [path.name for path in paths] == ["compare.csv", "compare.json", "pareto.svg"]
    svg = paths[2].read_text()
    tags = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(svg).iter()}
    assert "script" not in tags
    assert "</text><script>" not in svg
    table = pd.read_csv(paths[0])
    assert len(table) == 22
    assert table["origin"].tolist() == ["measured"] * 2 + ["published, not measured here"] * 20
    content = json.loads(paths[1].read_text())
    assert [row["name"] for row in content["rows"]] == ["</text><script>--> & $x_{$?", "net"]
    assert content["rows"][1]["against_first"]["accuracy"]["method"] == "paired"
    assert len(content["published"]) == 20
    # The same figure again is the same file.
    found.save(tmp_path / "again")
    assert (tmp_path / "again" / "pareto.svg").read_text() == svg


def test_numbers_of_the_figure_cover_neither_points_nor_each_other(tmp_path: Path) -> None:
    found = compare(two(tmp_path), tables=["all"])
    figure = pareto_figure(found)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    drawn = [each.get_window_extent().padded(-0.5) for each in axes.texts]
    assert len(drawn) == 41
    assert not [pair for pair in combinations(drawn, 2) if pair[0].overlaps(pair[1])]
    assert all(axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1) for box in drawn)
    at = axes.transData.transform([each.xy for each in axes.texts])
    assert not [box for box in drawn for point in at if box.contains(*point)]
    # Key and printed table call a row by the same number, rows without energy included.
    (last,) = (t for t in figure.legends[0].get_texts() if t.get_text().startswith("69 "))
    assert last.get_text() == f"69  {found.published[-1].row.name}"


def test_refusals(tmp_path: Path) -> None:
    place = evaluation(tmp_path / "a", {"reference": (FIRST, 1.0)})
    with pytest.raises(UsageError, match="nothing to compare"):
        compare([])
    with pytest.raises(FileError, match="no such folder"):
        compare([tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="it is empty"):
        compare([tmp_path / "empty"])
    with pytest.raises(UnknownNameError, match="max-former-imagenet"):
        compare([place], tables=["max-former-imagnet"])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="sweep over widths is unusable"):
        compare([tmp_path / "other.csv"])
    with pytest.raises(UsageError, match="201 rows"):
        compare([place] * 201)
    table = (place / "predictions.csv").read_text()
    (place / "predictions.csv").write_text(table.replace(",1\n", ",0\n"))
    with pytest.raises(FileError, match="not that of the evaluation"):
        compare([place])


def test_nodes_that_an_energy_report_does_not_count_are_told() -> None:
    entries = [
        energy.LedgerEntry(node=name, path="", kind="Fold", status=status, reason="", notes=[])
        for name, status in (("fold", Coverage.UNCOUNTED), ("conv", Coverage.COUNTED))
    ]
    report = energy.Report.model_construct(
        origin={},
        data=energy.Data(name="digits", split="test", provenance=""),
        samples=1,
        steps=4,
        energy_model=energy.Model.model_construct(id="loihi1-davies"),
        accuracy=None,
        totals=energy.Totals(energy_uJ=1.0),
        ledger=entries,
    )
    row = _of_report("net", EnergyArtefact(Path("estimated"), report, None))
    assert row.notes == ("fold is not counted: energy lacks it",)
