"""The energy report for a terminal."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from spikeport.estimate.capacity.render import render_capacity
from spikeport.estimate.compare.render import render_comparison
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.numbers import MISSING, percent, si, significant
from spikeport.estimate.report import PAPER_CONSTANTS, EnergyReport
from spikeport.estimate.tally.facts import label
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

_GRADED = {"events": "once", "unit_spikes": "n times"}


def render(report: EnergyReport) -> RenderableType:
    """Header, stages, layers, published conventions, notes; made for 100 columns."""
    style = "bold" if report.ledger.complete else "bold red"
    parts: list[RenderableType] = [Text(report.headline, style=style), _header(report), ""]
    parts += [_stages(report), "", _layers(report), *_rest(report)]
    parts += ["", render_comparison(report)]
    if report.others:
        parts += ["", _others(report)]
    if report.papers:
        parts += ["", _papers(report)]
    if report.capacity is not None:
        parts += ["", render_capacity(report.capacity)]
    notes = report.notes
    parts += ["", Text("Notes")] if notes else []
    parts += [Text(f"  {note}") for note in notes]
    return Group(*parts)


def _header(report: EnergyReport) -> Table:
    model, data, samples = report.model, report.data, report.tally.samples
    rows = {
        "data": f"{data.name}, split {data.split}, {samples} sample{'s' if samples > 1 else ''}, "
        f"T = {report.tally.steps}",
        "provenance": data.provenance,
        "energy model": f"{model.id}: {model.title}",
        "constants": "\n".join(model.describe()),
        "source": "\n".join(model.sources),
        "charged": "; ".join(model.includes),
        "excludes": "; ".join(model.left_out),
        "counted, not charged": ", ".join(
            term.value.replace("_", " ") for term in report.energies.uncharged()
        ),
        "graded events": f"an event of size n is charged {_GRADED[model.graded_events]}",
        "static image": f"layers that see one image at each step: {report.energies.static_image}",
        "coverage": report.ledger.summary(),
        "intervals": f"\u00b1 is 95 % of the mean over samples, {_method(report)}",
    }
    if report.accuracy is not None:
        low, high = report.accuracy.interval
        rows["accuracy"] = (
            f"{percent(report.accuracy.top1, 4)} % top-1, "
            f"{report.accuracy.correct} of {report.accuracy.count}; "
            f"95 % interval {percent(low, 4)} to {percent(high, 4)} % (Wilson)"
        )
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def _method(report: EnergyReport) -> str:
    if report.interval.method == "bootstrap":
        return f"bootstrap, seed {report.interval.seed}"
    return report.interval.method


def _figure_columns(table: Table, report: EnergyReport) -> None:
    # A network without real input has no multiply-accumulates; the column would be empty.
    macs = ("MAC",) if Term.MAC in report.tables.terms else ()
    headings = ("events", "rate %", "SOP", *macs, "charged", "energy uJ", "\u00b1uJ")
    for heading in (*headings, "share %"):
        table.add_column(heading, justify="right", no_wrap=True)


def _figures(row: dict[str, Any], report: EnergyReport) -> list[str]:
    low, high = _figure(row, "energy_uJ_low"), _figure(row, "energy_uJ_high")
    half = None if low is None or high is None else (high - low) / 2
    macs = [si(_figure(row, "mac"))] if Term.MAC in report.tables.terms else []
    return [
        si(_figure(row, "events_in")),
        percent(_figure(row, "firing_rate_in")),
        si(_figure(row, "sop")),
        *macs,
        si(_figure(row, "charged_operations")),
        significant(_figure(row, "energy_uJ"), 4),
        significant(half, 2),
        percent(_figure(row, "energy_share")),
    ]


def _figure(row: dict[str, Any], name: str) -> float | None:
    value = row.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _stages(report: EnergyReport) -> Table:
    table = Table(title="Per stage, mean per sample", title_justify="left", box=None)
    table.add_column("stage")
    table.add_column("part", overflow="fold")
    _figure_columns(table, report)
    for row in filter(_has_figures, map(_named, report.stages.to_dict(orient="records"))):
        table.add_row(escape(str(row["stage"])), escape(str(row["part"])), *_figures(row, report))
    table.add_section()
    table.add_row("", "total", *_figures(report.totals, report), style="bold")
    if report.static_picojoule is not None:
        static = significant(float(microjoule(report.static_picojoule)), 4)
        blank = [""] * (len(table.columns) - 5)
        table.add_row("", "static power x latency", *blank, static, "", "")
    return table


def _layers(report: EnergyReport) -> Table:
    table = Table(title="Per layer, mean per sample", title_justify="left", box=None)
    table.add_column("layer", overflow="fold")
    _figure_columns(table, report)
    for row in _rows(report):
        if _is_shown(row):
            table.add_row(escape(label(report.tally.graph[row["node"]])), *_figures(row, report))
    return table


def _rows(report: EnergyReport) -> list[dict[str, Any]]:
    return [_named(row) for row in report.layers.to_dict(orient="records")]


def _has_figures(row: dict[str, Any]) -> bool:
    return any(_figure(row, name) for name in ("sop", "mac", "dense", "energy_uJ"))


def _is_shown(row: dict[str, Any]) -> bool:
    return _has_figures(row) or row["coverage"] == Coverage.UNCOUNTED.value


def _rest(report: EnergyReport) -> list[RenderableType]:
    lines = []
    hidden = sum(not _is_shown(row) for row in _rows(report))
    if hidden:
        lines.append(
            f"  Not shown: {hidden} counted without synapses or charge; the files list them."
        )
    by_rate = _figure(report.totals, "sop_rate_formula")
    deviation = _figure(report.totals, "rate_formula_deviation_percent")
    if by_rate is not None and deviation is not None:
        lines.append(
            f"  By the rate formula (rate x T x dense, padding included), layers with weights: "
            f"{si(by_rate)}, {deviation:+.1f} %."
        )
    return [Text(line) for line in lines]


def _others(report: EnergyReport) -> Table:
    table = Table(title="Under other energy models", title_justify="left", box=None)
    table.add_column("energy model", overflow="fold")
    for heading in ("energy uJ", "static uJ", "unverified"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("excludes", overflow="fold")
    for other in report.others:
        model, static = other.model, other.static
        left_out = [term.value.replace("_", " ") for term in other.uncharged()]
        missing = f" (counted, not charged: {', '.join(left_out)})" if left_out else ""
        table.add_row(
            model.id,
            significant(float(microjoule(report.under(other))), 4),
            MISSING if static is None else significant(float(microjoule(static)), 4),
            f"{len(model.unverified)} of {len(model.constants)}",
            escape("; ".join(model.left_out) + missing),
        )
    return table


def _papers(report: EnergyReport) -> Table:
    title = "As papers would count it (never instead of the exact count)"
    if report.paper_exact != report.picojoule:
        title += f", against the exact count under {PAPER_CONSTANTS}"
    table = Table(
        title=title,
        title_justify="left",
        box=None,
    )
    table.add_column("convention")
    table.add_column("energy uJ", justify="right", no_wrap=True)
    table.add_column("against exact %", justify="right", no_wrap=True)
    table.add_column("how it differs", overflow="fold")
    exact = report.paper_exact
    for paper in report.papers:
        deviation = paper.deviation_percent(exact)
        table.add_row(
            paper.mode,
            significant(float(microjoule(paper.picojoule)), 4),
            MISSING if deviation is None else f"{deviation:+.1f}",
            escape("; ".join(paper.conventions) + f" ({paper.source})"),
        )
    return table


def _named(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
