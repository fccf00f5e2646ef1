"""The page of the trained event model in a real browser: clicked through, without a network."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import browser as chromium
import pytest

from spikeport.report import write_report

pytestmark = pytest.mark.skipif(bool(chromium.MISSING), reason=chromium.MISSING)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def page(results, downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("browser")
    write_report(results.all, folder / "report.html")
    with chromium.opened(folder / "profile", downloads) as browser:
        chromium.show(browser, folder / "report.html")
        yield browser
        browser.save_screenshot(str(folder / "report.png"))
        errors = [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
        assert not errors
        own = ("data:", "blob:", "file:", "chrome:", "about:")
        assert not [url for url in chromium.requested(browser) if not url.startswith(own)]


@pytest.fixture(scope="module")
def report(results) -> dict:
    return json.loads((results.estimated / "report.json").read_text())


@pytest.fixture(scope="module")
def network(results) -> dict:
    return json.loads((results.estimated / "network.json").read_text())


def one(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def every(page: Any, selector: str) -> list[Any]:
    return list(page.find_elements("css selector", selector))


def unfolded(page: Any, table: str) -> Any:
    """The element that holds a table, opened."""
    return page.execute_script(
        "const table = document.querySelector(`table[data-name=${arguments[0]}]`);"
        "const fold = table.closest('details');"
        "fold.open = true; fold.scrollIntoView({behavior: 'instant'}); return fold;",
        table,
    )


def column(page: Any, table: str, name: str) -> list[str]:
    """What a column shows, in the order of the rows that are not filtered out."""
    return page.execute_script(
        "const table = document.querySelector(`table[data-name=${arguments[0]}]`);"
        "const place = [...table.tHead.rows[0].cells]"
        ".findIndex((cell) => cell.dataset.column === arguments[1]);"
        "return [...table.tBodies[0].rows].filter((row) => !row.hidden)"
        ".map((row) => row.cells[place].dataset.value ?? row.cells[place].textContent);",
        table,
        name,
    )


def test_every_chart_is_drawn(page: Any) -> None:
    charts = every(page, ".chart")
    assert len(charts) >= 5
    assert len(every(page, "#widths .chart, #spectrum .chart")) == 3
    for chart in charts:
        assert chart.find_element("css selector", "svg").size["height"] > 30


def test_a_click_on_a_box_shows_its_figures(page: Any, report: dict, network: dict) -> None:
    place, node = next(
        (i, node) for i, node in enumerate(network["nodes"]) if node["path"].endswith("attn.q_conv")
    )
    box = one(page, f"#node-0-{place}")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", box)
    box.click()
    assert box.get_attribute("aria-pressed") == "true"
    panel = one(page, ".details")
    (layer,) = (each for each in report["layers"] if each["node"] == node["node"])
    assert node["path"] in panel.text
    assert f"{1000 * layer['energy_uJ']:.2f} nJ" in panel.text
    assert f"{100 * layer['firing_rate_in']:.1f} %" in panel.text


def test_the_network_can_be_walked_by_keyboard(page: Any, network: dict) -> None:
    first = one(page, "#node-0-0")
    page.execute_script("arguments[0].focus()", first)
    keys = page.switch_to.active_element
    keys.send_keys("\ue015")  # arrow down
    reader = page.switch_to.active_element
    assert network["nodes"][1]["path"] in reader.get_attribute("aria-label")
    reader.send_keys("\ue007")  # enter
    assert network["nodes"][1]["path"] in one(page, ".details").text
    assert len(every(page, ".node[tabindex='0']")) == 1


def test_the_network_zooms(page: Any) -> None:
    svg = one(page, ".canvas svg")
    before = svg.size["width"]
    page.execute_script("arguments[0].click()", one(page, "[data-zoom=in]"))
    assert svg.size["width"] == pytest.approx(1.25 * before, abs=2)
    page.execute_script("arguments[0].click()", one(page, "[data-zoom=fit]"))
    assert svg.size["height"] <= one(page, ".canvas").size["height"] + 1


def test_a_table_sorts_both_ways(page: Any, report: dict) -> None:
    fold = unfolded(page, "layers")
    heading = fold.find_element("css selector", "th[data-column=energy_uJ]")
    energies = [layer["energy_uJ"] for layer in report["layers"]]
    button = heading.find_element("css selector", "button")
    page.execute_script("arguments[0].click()", button)
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(each) for each in column(page, "layers", "energy_uJ")] == sorted(energies)
    page.execute_script("arguments[0].click()", button)
    assert heading.get_attribute("aria-sort") == "descending"
    shown = [float(each) for each in column(page, "layers", "energy_uJ")]
    assert shown == sorted(energies, reverse=True)


def test_a_filtered_table_downloads_as_csv(page: Any, report: dict, downloads: Path) -> None:
    fold = unfolded(page, "layers")
    field = fold.find_element("css selector", "input")
    field.send_keys("attn lif")
    wanted = {
        layer["node"] if layer["node"].startswith(layer["path"]) else layer["path"]: layer
        for layer in report["layers"]
        if "attn" in layer["path"] and layer["kind"] == "lif"
    }
    assert set(column(page, "layers", "layer")) == set(wanted)
    assert f"{len(wanted)} of {len(report['layers'])}" in fold.text
    fold.find_element("css selector", ".csv").click()
    path = downloads / "layers.csv"
    chromium.until(path.exists)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == len(wanted)
    for row in rows:
        layer = wanted[row["layer"]]
        for name in ("energy_uJ", "firing_rate_out"):
            assert row[name] == ("" if layer[name] is None else repr(layer[name])), name
    field.clear()
    field.send_keys(" ")
    assert len(column(page, "layers", "layer")) == len(report["layers"])


def test_the_energy_model_can_be_switched(page: Any, network: dict) -> None:
    chosen = next(each for each in network["energy_models"] if each["id"] == "loihi1-davies")
    page.execute_script(
        "const chooser = document.getElementById('energy-model'); chooser.value = arguments[0];"
        "chooser.dispatchEvent(new Event('change'));",
        chosen["id"],
    )
    told = one(page, "[data-told]")
    chromium.until(lambda: chosen["id"] in told.text)
    assert f"{chosen['energy_uJ']:.2f} \u00b5J" in told.text
    kinds = {kind.replace("_", " ") for kind in chosen["kinds"]} - {"sop", "spikes out"}
    chart = one(page, ".chart[data-rows] .plot")
    chromium.until(lambda: all(kind in chart.text for kind in kinds))
    # What the chart holds is what the file says.
    shown = page.execute_script(
        "const id = document.querySelector('.chart[data-rows]').id;"
        "return drawn.get(id).then("
        "(view) => view.data('rows').reduce((sum, row) => sum + row.uJ, 0));"
    )
    assert shown == pytest.approx(chosen["energy_uJ"], rel=1e-4)


def test_it_is_dark_where_that_is_preferred(page: Any) -> None:
    light = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    chromium.emulate(page, prefers_color_scheme="dark")
    dark = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    label = page.execute_script(
        "return getComputedStyle(document.querySelector('.plot .role-axis-label text')).fill"
    )
    chromium.emulate(page)
    assert light == "rgb(255, 255, 255)"
    assert max(map(int, dark[4:-1].split(","))) < 64
    assert min(map(int, label[4:-1].split(","))) > 128


def test_nothing_is_wider_than_a_phone(page: Any) -> None:
    chromium.resize(page, 400, 800)
    width = page.execute_script("return document.documentElement.scrollWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 400


def test_names_that_are_html_run_nothing(results, downloads: Path, tmp_path: Path) -> None:
    attack = "</script><img src=x onerror='window.attacked=1'><script>window.attacked=1</script>"
    for name in ("report.json", "network.json"):
        text = (results.estimated / name).read_text()
        (tmp_path / name).write_text(text.replace("stage1.0.mixer.conv", json.dumps(attack)[1:-1]))
    write_report([f"<script>window.attacked</script>={tmp_path}"], tmp_path / "report.html")
    with chromium.opened(tmp_path / "profile", downloads) as browser:
        chromium.show(browser, tmp_path / "report.html")
        assert browser.execute_script("return window.attacked") is None
        box = next(
            box for box in every(browser, ".node") if attack in box.get_attribute("aria-label")
        )
        browser.execute_script("arguments[0].dispatchEvent(new MouseEvent('click'))", box)
        assert attack in one(browser, ".details").text
        assert browser.execute_script("return window.attacked") is None
        assert not [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
