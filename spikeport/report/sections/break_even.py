"""Against the same network without spikes: totals, each layer's break-even rate, a tornado."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.estimate.numbers import percent, significant
from spikeport.report.artefacts.energy import Compared, Report
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, TICKS, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, figure, table

_ROW = 15
_TORNADO_ROW = 26


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """Words, table and two charts; None under an energy model without multiply-accumulates."""
    report = None if subject.energy is None else subject.energy.report
    if report is None or report.comparison is None:
        return None
    found = report.comparison
    return {
        "model": report.energy_model.id,
        "totals": _totals(report, found),
        "words": _words(report, found),
        "conventions": found.conventions,
        "published": found.published_break_even,
        "break_even": _break_even(report, assets),
        "tornado": _tornado(found, assets),
        "table": _table(found),
    }


def _totals(report: Report, found: Compared) -> Table:
    columns = (
        Column("network", "Network"),
        Column("energy_uJ", "Energy \u00b5J", figure),
        Column("ratio", "x spiking", figure),
    )
    names = {
        f"spiking, T = {report.steps}": found.spiking_energy_uJ,
        "ANN (ReLU), one pass": found.dense_energy_uJ,
        f"ANN, {found.bits}-bit activations": found.quantised_energy_uJ,
    }
    spiking = found.spiking_energy_uJ
    values = (
        {"network": name, "energy_uJ": value, "ratio": value / spiking if spiking else None}
        for name, value in names.items()
    )
    return table("against_ann", f"Per sample, under {report.energy_model.id}", columns, values)


def _words(report: Report, found: Compared) -> list[str]:
    rate = report.totals.firing_rate_in
    lines = []
    for factor, name in (
        (found.break_even_factor, "the ReLU network"),
        (found.break_even_factor_quantised, f"the one with {found.bits}-bit activations"),
    ):
        if factor is None or rate is None:
            continue
        if not factor:
            lines.append(f"Dearer than {name} at any rate.")
        elif factor * rate >= 1:
            lines.append(
                f"Cheaper than {name} at any rate: it would take {significant(factor)} x its "
                "events."
            )
        else:
            lines.append(
                f"As dear as {name} at {significant(factor)} x its events, a mean rate of "
                f"{percent(factor * rate)} %."
            )
    if rate is not None:
        lines.append(f"Mean rate here: {percent(rate)} %.")
    if found.spikes_per_synapse is not None:
        lines.append(f"Spikes per synapse and sample: {significant(found.spikes_per_synapse)}.")
    return lines


def _break_even(report: Report, assets: Assets) -> Chart | None:
    values = [
        {
            "layer": layer.label,
            "order": order,
            "now": layer.firing_rate_in,
            "even": min(layer.break_even_rate, 1.0),
            "told": layer.break_even_rate,
            "side": "cheaper" if layer.firing_rate_in <= layer.break_even_rate else "dearer",
        }
        for order, layer in enumerate(report.layers)
        if layer.break_even_rate is not None and layer.firing_rate_in is not None
    ]
    if not values:
        return None
    y = alt.Y("layer:N", sort=alt.EncodingSortField("order", op="min"), title=None)
    color = alt.Color(
        "side:N",
        scale=alt.Scale(domain=["cheaper", "dearer"], range=["var(--good)", "var(--bad)"]),
        legend=alt.Legend(orient="top", title="than without spikes"),
    )
    tips = [
        alt.Tooltip("layer:N"),
        alt.Tooltip("now:Q", format=".2%", title="rate now"),
        alt.Tooltip("told:Q", format=".2%", title="break-even rate"),
    ]
    base = alt.Chart(rows(values), width=FLUID, height=_ROW * len(values)).encode(y=y, tooltip=tips)
    x = alt.X(
        "now:Q",
        title="events per input element and step",
        axis=alt.Axis(format="%", tickCount=TICKS),
    )
    chart = alt.layer(
        base.mark_rule(opacity=0.6).encode(x=x, x2="even:Q"),
        base.mark_tick(thickness=2, size=11, color="var(--muted)").encode(x="even:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, color=color),
    )
    title = "Rate of each layer (dot) and the rate at which it would cost as much (tick)"
    told = f"{len(values)} layers; the table of layers has the rates. Ticks end at 100 %."
    return assets.chart(finished(chart), title, told)


def _tornado(found: Compared, assets: Assets) -> Chart | None:
    if not found.tornado or not found.dense_energy_uJ:
        return None
    now = found.spiking_energy_uJ / found.dense_energy_uJ
    values = [
        {
            "constant": each.constant,
            "order": order,
            "low": min(each.ratio_at_half, each.ratio_at_double),
            "high": max(each.ratio_at_half, each.ratio_at_double),
            "half": each.ratio_at_half,
            "double": each.ratio_at_double,
        }
        for order, each in enumerate(found.tornado)
    ]
    ends = [now, 1.0]
    for each in found.tornado:
        ends += [each.ratio_at_half, each.ratio_at_double]
    scale = alt.Scale(type="log", nice=False, domain=[0.8 * min(ends), 1.25 * max(ends)])
    axis = alt.Axis(tickCount=TICKS, format="~g")
    x = alt.X("low:Q", title="spiking / non-spiking energy", scale=scale, axis=axis)
    bars = (
        alt.Chart(rows(values), width=FLUID, height=_TORNADO_ROW * len(values))
        .mark_bar(color="var(--c0)", opacity=0.75)
        .encode(
            y=alt.Y("constant:N", sort=alt.EncodingSortField("order", op="min"), title=None),
            x=x,
            x2="high:Q",
            tooltip=[
                alt.Tooltip("constant:N"),
                alt.Tooltip("half:Q", format=".3g", title="halved"),
                alt.Tooltip("double:Q", format=".3g", title="doubled"),
            ],
        )
    )
    marks = (
        alt.Chart(rows([{"at": now}, {"at": 1.0}]))
        .mark_rule(strokeDash=[4, 3], color="var(--ink)", strokeWidth=1.5)
        .encode(x=alt.X("at:Q", scale=scale))
    )
    title = "What decides: the ratio with one constant halved or doubled"
    told = "Dashed lines: the ratio as it is, and 1, where both networks cost the same."
    return assets.chart(finished(alt.layer(bars, marks)), title, told)


def _table(found: Compared) -> Table:
    columns = (
        Column("constant", "Constant"),
        Column("ratio_at_half", "Ratio if halved", figure),
        Column("ratio_at_double", "Ratio if doubled", figure),
        Column("flips_at_factor", "Both cost the same at x", figure),
    )
    return table("tornado", "Influence of each constant", columns, map(dict, found.tornado))
