"""The page: its figures are those of the files, and it is one file that needs nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from report_page import Page

from spikeport.report import gather, render, write_report
from spikeport.report.page import LARGEST

SECTIONS = "verdict network energy rates accuracy break-even capacity parity coverage provenance"
OPTIONAL = "training widths spectrum"


@pytest.fixture(scope="session")
def page_file(results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    (subject,) = write_report(results.all, path)
    assert subject.name == "max_former_digits"
    assert sorted(subject.lowered) == ["lava", "reference"]
    return path


@pytest.fixture(scope="session")
def page(page_file: Path) -> Page:
    return Page.of(page_file)


@pytest.fixture(scope="session")
def report(results) -> dict:
    return json.loads((results.estimated / "report.json").read_text())


def test_every_section_is_there(page: Page) -> None:
    assert {f"#{name}" for name in (*SECTIONS.split(), *OPTIONAL.split())} <= set(page.urls)
    assert "have this" not in page.text


def test_layers_are_those_of_the_report(page: Page, report: dict) -> None:
    rows = page.tables["layers"]
    assert len(rows) == len(report["layers"])
    for row, layer in zip(rows, report["layers"], strict=True):
        for name in ("energy_uJ", "sop", "events_in", "firing_rate_in", "ann_energy_uJ"):
            assert row[name] == layer[name], (layer["node"], name)


def test_the_verdict_is_that_of_the_files(page: Page, report: dict, results) -> None:
    accuracy, energy, ratio, loss, parity = page.cards
    evaluated = json.loads((results.evaluated / "evaluation.json").read_text())
    reference, lava = (evaluated["targets"][name] for name in ("reference", "lava"))
    assert accuracy["value"] == f"{100 * reference['accuracy']:.2f} %"
    assert float(energy["value"].split()[0]) == pytest.approx(
        report["totals"]["energy_uJ"], rel=1e-3
    )
    assert energy["value"].endswith("\u00b5J")
    low, _, high = energy["within"].rpartition(" to ")
    assert float(low.split()[0]) == pytest.approx(report["totals"]["energy_uJ_low"], rel=1e-3)
    assert float(high.split()[0]) == pytest.approx(report["totals"]["energy_uJ_high"], rel=1e-3)
    compared = report["comparison"]
    expected = compared["spiking_energy_uJ"] / compared["dense_energy_uJ"]
    assert float(ratio["value"]) == pytest.approx(expected, rel=5e-3)
    assert float(loss["value"].split()[0]) == pytest.approx(-100 * lava["difference"], abs=0.005)
    stages = json.loads((results.reference / "parity.json").read_text())["stages"]
    exact = sum(stage["compared"] for stage in stages if stage["exact"])
    assert parity["value"] == "exact"
    assert f"{exact:,} spikes" in parity["within"]


def test_energy_under_every_model_is_that_of_the_network_file(page: Page, results) -> None:
    network = json.loads((results.estimated / "network.json").read_text())
    data = page.data["data"]["energy-0"]
    assert [row["energy_uJ"] for row in page.tables["energy_models"]] == [
        each["energy_uJ"] for each in network["energy_models"]
    ]
    assert len(network["energy_models"]) > 20
    for model in network["energy_models"]:
        shown = sum(sum(values) for values in data["models"][model["id"]].values())
        assert shown == pytest.approx(model["energy_uJ"], rel=1e-4), model["id"]


def test_every_node_is_drawn_and_named(page: Page, results) -> None:
    network = json.loads((results.estimated / "network.json").read_text())
    boxes = page.data["data"]["network-0"]
    assert [box["node"] for box in boxes.values()] == [node["node"] for node in network["nodes"]]
    paths = {dict(box["pairs"]).get("Module") for box in boxes.values()}
    assert {node["path"] for node in network["nodes"] if node["path"]} <= paths
    for node, rates in network["rates"].items():
        (box,) = (box for box in boxes.values() if box["node"] == node)
        assert box["rates"] == pytest.approx(rates, abs=1e-6)


def test_parity_and_coverage_are_those_of_the_files(page: Page, report: dict, results) -> None:
    stages = json.loads((results.lava / "parity.json").read_text())["stages"]
    (row,) = page.tables["parity_lava"]
    assert row["different"] == stages[0]["different"] > 0
    assert len(page.tables["parity_layers_lava"]) == len(stages[0]["layers"])
    assert [row["status"] for row in page.tables["ledger"]] == [
        entry["status"] for entry in report["ledger"]
    ]
    assert "not run here" in page.text
    for words in report["energy_models"][0]["excludes"]:
        assert words in page.text


def test_widths_are_those_of_the_sweep(page: Page, results) -> None:
    rows = json.loads((results.widths / "bits.json").read_text())["rows"]
    shown = page.tables["widths"]
    assert [row["bits"] for row in shown] == ["float", "4", "8"]
    for row, told in zip(shown, rows, strict=True):
        for name in ("accuracy", "low", "high", "weight_bytes", "sop", "energy_uj"):
            assert row[name] == pytest.approx(told[name], rel=1e-12), (row["bits"], name)
    for row, told in zip(shown[1:], rows[1:], strict=True):
        for name in ("difference", "difference_low", "p_value", "agreement", "worst_alone"):
            assert row[name] == told[name], (row["bits"], name)
    # The float network is not compared with itself.
    assert shown[0]["difference"] is shown[0]["p_value"] is None


def test_frequencies_are_those_of_the_spectra(page: Page, results) -> None:
    found = json.loads((results.spectrum / "spectrum.json").read_text())
    for name, told in (("spectrum_edges", found["edges"]), ("spectrum_kinds", found["by_kind"])):
        assert len(page.tables[name]) == len(told)
        for row, each in zip(page.tables[name], told, strict=True):
            for figure in set(row) & {"share", "share_low", "time_share", "difference", "nodes"}:
                assert row[figure] == each.get(figure), (name, figure)
    drawn = [
        [row["share"] for row in values]
        for spec in page.data["specs"].values()
        for values in spec.get("datasets", {}).values()
        if "white" in values[0]
    ]
    for name in ("share", "time_share"):
        measured = [each[name] for each in found["edges"] if name in each]
        assert len(measured) > 5
        assert measured in drawn
    assert found["headline"] in page.text


def test_sections_that_nobody_asked_for_are_left_out(results) -> None:
    page = Page(render(gather([results.estimated])))
    assert not {"#widths", "#spectrum"} & set(page.urls)
    assert "#parity" in page.urls


def test_provenance_has_what_is_needed_to_repeat_it(page: Page, report: dict) -> None:
    facts = {(row["result"], row["fact"]): row["value"] for row in page.tables["provenance"]}
    for name, value in report["origin"].items():
        assert facts["energy report", name] == value
    assert "spikeport estimate max_former_digits --samples 12" in page.text
    assert "spikeport verify" in page.text
    assert "simulated events" in page.text


def test_it_loads_nothing_and_runs_nothing_but_its_own_scripts(page: Page, page_file: Path) -> None:
    assert all(url in ("#", "data:,") or url.startswith("#") for url in page.urls)
    assert not page.inline
    assert page.elements["script"] == 4
    assert not {"img", "iframe", "object", "embed", "base", "form"} & set(page.elements)
    text = page_file.read_text()
    # Names of XML languages and schemas are no addresses that anything asks for.
    named = re.compile(r"https?://(www\.w3\.org|vega\.github\.io/(schema|editor)|github\.com/vega)")
    outside = [url for url in re.findall(r"https?://[^\s\"'<>)]+", text) if not named.match(url)]
    assert not outside
    assert "default-src 'none'" in text


def test_it_is_small_and_the_same_each_time(page_file: Path, results) -> None:
    text = page_file.read_text()
    assert len(text.encode()) < LARGEST / 2
    assert render(gather(results.all)) == text


def test_two_networks_stand_side_by_side(results, tmp_path: Path) -> None:
    path = tmp_path / "both.html"
    places = [f"{name}={folder}" for name in ("first", "second") for folder in results.all[:3]]
    assert [each.name for each in write_report(places, path)] == ["first", "second"]
    text = path.read_text()
    assert "Accuracy against energy" in text
    assert text.count('<article class="subject"') >= 2 * len(SECTIONS.split())
    assert len(text.encode()) < LARGEST


def test_too_large_a_page_is_refused(results, tmp_path: Path, monkeypatch) -> None:
    from spikeport.core.errors import UsageError
    from spikeport.report import page

    monkeypatch.setattr(page, "LARGEST", 1000)
    with pytest.raises(UsageError, match="fewer networks"):
        write_report([results.estimated], tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_names_that_are_html_stay_names(results, tmp_path: Path) -> None:
    attack = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    for name in ("report.json", "network.json"):
        text = (results.estimated / name).read_text()
        (tmp_path / name).write_text(text.replace("stage1.0.mixer.conv", json.dumps(attack)[1:-1]))
    path = tmp_path / "report.html"
    write_report([f"<b><script>alert(1)</script>={tmp_path}"], path)
    page = Page.of(path)
    assert page.elements["script"] == 4
    assert not {"img", "b"} & set(page.elements)
    assert not page.inline
    assert any(attack in row["layer"] for row in page.tables["layers"])
    assert "<b><script>alert(1)</script>" in page.text
