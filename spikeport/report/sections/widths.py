"""What each width of the weights costs on Lava, and what it still gets right."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.estimate.numbers import hundredths, points, si
from spikeport.report.artefacts.widths import Width, Widths
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, colours, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, brief, figure, table, whole

_HEIGHT = 220
_FLOAT = "float"


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """A chart and its table: the float network first, then one row per width."""
    if subject.widths is None:
        return None
    found = subject.widths.content
    return {
        "data": found.data,
        "samples": found.rows[0].count,
        "model": found.energy_model,
        "chart": _chart(found, assets),
        "table": _table(found),
        "uncounted": found.uncounted,
    }


def _name(row: Width) -> str:
    return _FLOAT if row.bits is None else str(row.bits)


def _chart(found: Widths, assets: Assets) -> Chart:
    values = [
        {
            "bits": _name(row),
            "accuracy": 100 * row.right.value,
            "low": 100 * row.right.interval[0],
            "high": 100 * row.right.interval[1],
            "side": _FLOAT if row.bits is None else "fixed point",
        }
        for row in found.rows
    ]
    scale = alt.Scale(zero=False)
    base = alt.Chart(rows(values), width=FLUID, height=_HEIGHT).encode(
        x=alt.X("bits:N", sort=None, title="bits of a weight", axis=alt.Axis(labelAngle=0)),
        color=alt.Color(
            "side:N",
            scale=alt.Scale(domain=[_FLOAT, "fixed point"], range=colours(2)),
            legend=None,
        ),
    )
    tips = [
        alt.Tooltip("bits:N"),
        alt.Tooltip("accuracy:Q", format=".2f"),
        alt.Tooltip("low:Q", format=".2f", title="95 % from"),
        alt.Tooltip("high:Q", format=".2f", title="to"),
    ]
    chart = alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(
            y=alt.Y("low:Q", title="accuracy %", scale=scale), y2="high:Q"
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            y=alt.Y("accuracy:Q", title="accuracy %", scale=scale), tooltip=tips
        ),
    )
    title = "Accuracy by width of the weights"
    told = "One point per width with its 95 % interval, the float network first; figures in the "
    return assets.chart(finished(chart), title, f"{told}table.")


def _table(found: Widths) -> Table:
    columns = (
        Column("bits", "Bits"),
        Column("accuracy", "Accuracy %", hundredths),
        Column("low", "95 % from", hundredths),
        Column("high", "to", hundredths),
        Column("difference", "Difference, points", points, "from the float network"),
        Column("difference_low", "95 % from", points),
        Column("difference_high", "to", points),
        Column("p_value", "p", brief, "exact McNemar test"),
        Column("agreement", "Same answer %", hundredths, "as the float network"),
        Column(
            "worst_alone",
            "Alone %",
            hundredths,
            "equal spikes of the layer that differs most when it reads the float network\u2019s",
        ),
        Column("rate_error", "Rate error %", hundredths, "of the worst layer"),
        Column("weight_bytes", "Weight bytes", whole),
        Column("sop", "SOP", si),
        Column("energy_uj", "Energy \u00b5J", figure),
        Column("warnings", "Warnings", whole, "of the lowering"),
    )
    values = []
    for row in found.rows:
        low, high = row.right.interval
        value = dict(row) | {"bits": _name(row), "accuracy": row.right.value}
        value |= {"low": low, "high": high}
        if row.bits is None:
            # Against itself there is nothing to say.
            value |= dict.fromkeys(_AGAINST)
        values.append(value)
    return table("widths", "Widths of the weights", columns, values)


_AGAINST = (
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "agreement",
    "worst_alone",
    "rate_error",
    "warnings",
)
