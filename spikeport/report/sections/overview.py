"""Several networks in one picture: accuracy against energy."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, TICKS, colours, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.sections.accuracy import curve_chart, curve_rows

_HEIGHT = 300


def build(subjects: list[Subject], assets: Assets) -> dict[str, Any] | None:
    """Charts of all networks; None for one network, or where too little is known."""
    if len(subjects) < 2:
        return None
    charts = [_scatter(subjects, assets), _curves(subjects, assets)]
    shown = [chart for chart in charts if chart is not None]
    return {"charts": shown} if shown else None


def _scatter(subjects: list[Subject], assets: Assets) -> Chart | None:
    values = [row for subject in subjects for row in _point(subject)]
    models = {row["model"] for row in values}
    # Prices of different energy models say nothing beside each other.
    if len(values) < 2 or len(models) > 1:
        return None
    names = [subject.name for subject in subjects]
    color = alt.Color(
        "network:N",
        # In the order of the page, so that a network has one colour everywhere.
        scale=alt.Scale(domain=names, range=colours(len(names))),
        legend=alt.Legend(orient="top", title=None),
    )
    tips = [
        alt.Tooltip("network:N"),
        alt.Tooltip("uJ:Q", format=".4g", title="\u00b5J"),
        alt.Tooltip("accuracy:Q", format=".2f", title="accuracy %"),
    ]
    x_scale, y_scale = alt.Scale(zero=False, padding=20), alt.Scale(zero=False)
    words = f"\u00b5J per sample, {models.pop()}"
    x = alt.X("uJ:Q", title=words, scale=x_scale, axis=alt.Axis(tickCount=TICKS))
    y = alt.Y("accuracy:Q", title="accuracy %", scale=y_scale)
    base = alt.Chart(rows(values), width=FLUID, height=_HEIGHT).encode(color=color)
    chart = alt.layer(
        base.mark_rule(opacity=0.6).encode(
            x=x, y=alt.Y("low:Q", title="accuracy %", scale=y_scale), y2="high:Q"
        ),
        base.mark_rule(opacity=0.6).encode(
            x=alt.X("uJ_low:Q", title=words, scale=x_scale, axis=alt.Axis(tickCount=TICKS)),
            x2="uJ_high:Q",
            y=y,
        ),
        base.mark_point(filled=True, size=110, opacity=1).encode(x=x, y=y, tooltip=tips),
    )
    title = "Accuracy against energy, with 95 % intervals"
    told = "One point per network; the cards below have the figures."
    return assets.chart(finished(chart), title, told)


def _point(subject: Subject) -> list[dict[str, Any]]:
    if subject.energy is None:
        return []
    report = subject.energy.report
    totals = report.totals
    if subject.evaluation is not None:
        target = subject.evaluation.content.targets[subject.evaluation.first]
        accuracy, (low, high) = target.accuracy, target.interval
    elif report.accuracy is not None:
        found = report.accuracy
        accuracy, low, high = found.top1, found.top1_low, found.top1_high
    else:
        return []
    return [
        {
            "network": subject.name,
            "model": report.energy_model.id,
            "accuracy": 100 * accuracy,
            "low": 100 * low,
            "high": 100 * high,
            "uJ": totals.energy_uJ,
            "uJ_low": totals.energy_uJ if totals.energy_uJ_low is None else totals.energy_uJ_low,
            "uJ_high": totals.energy_uJ if totals.energy_uJ_high is None else totals.energy_uJ_high,
        }
    ]


def _curves(subjects: list[Subject], assets: Assets) -> Chart | None:
    values = []
    for subject in subjects:
        if subject.evaluation is not None:
            target = subject.evaluation.content.targets[subject.evaluation.first]
            values += curve_rows(subject.name, target.curve)
    names = {row["network"] for row in values}
    if len(names) < 2:
        return None
    title = "Accuracy against cost when the networks are stopped after T steps"
    told = "One line per network, one point per number of steps."
    return assets.chart(curve_chart(values, [subject.name for subject in subjects]), title, told)
