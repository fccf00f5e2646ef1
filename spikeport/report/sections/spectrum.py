"""Which frequencies pass through the network, in space and along time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from spikeport.estimate.numbers import hundredths, points
from spikeport.report.artefacts.spectrum import Edge, Kind
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, TICKS, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, table, whole

_ROW = 16
_LEGEND_ROOM = 6
_DOMAINS = ["spike", "graded", "scaled", "real"]
"""The style has a colour of this name for each, the same as in the drawing of the network."""


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """Two charts over the edges of the network, and the tables of edges and kinds."""
    if subject.spectrum is None:
        return None
    found = subject.spectrum.content
    charts = [
        _chart(found.edges, "", "in space", assets),
        _chart(found.edges, "time_", "along time", assets),
    ]
    return {
        "headline": found.headline,
        "share": found.share,
        "charts": [chart for chart in charts if chart is not None],
        "kinds": _kinds(found.by_kind),
        "edges": _edges(found.edges),
    }


def _chart(edges: Sequence[Edge], prefix: str, where: str, assets: Assets) -> Chart | None:
    values = [
        {
            **{"edge": edge.label, "node": edge.node, "order": order, "carries": edge.domain},
            "share": getattr(edge, f"{prefix}share"),
            "low": getattr(edge, f"{prefix}share_low"),
            "high": getattr(edge, f"{prefix}share_high"),
            "white": getattr(edge, f"{prefix}share_white"),
        }
        for order, edge in enumerate(edges)
        if getattr(edge, f"{prefix}share") is not None
    ]
    return assets.chart(_picture(values), *_words(len(values), where)) if values else None


def _words(count: int, where: str) -> tuple[str, str]:
    title = f"High-frequency share {where} (dot), and that of white noise (tick)"
    told = f"{count} edges in the order of execution, with 95 % intervals; figures in the table."
    return title, told


def _picture(values: list[dict[str, Any]]) -> dict[str, Any]:
    y = alt.Y("node:N", sort=alt.EncodingSortField("order", op="min"), title=None)
    title = "high-frequency share"
    axis = alt.Axis(format="%", tickCount=TICKS)
    x = alt.X("share:Q", title=title, axis=axis, scale=alt.Scale(domainMin=0))
    color = alt.Color(
        "carries:N",
        scale=alt.Scale(domain=_DOMAINS, range=[f"var(--{domain})" for domain in _DOMAINS]),
        legend=alt.Legend(orient="top", title="carries"),
    )
    figures = {"share": "share", "low": "95 % from", "high": "to", "white": "white noise"}
    tips = [alt.Tooltip("edge:N"), alt.Tooltip("node:N")]
    tips += [alt.Tooltip(f"{n}:Q", format=".2%", title=words) for n, words in figures.items()]
    height = _ROW * (len(values) + _LEGEND_ROOM)
    base = alt.Chart(rows(values), width=FLUID, height=height).encode(y=y, tooltip=tips)
    chart = alt.layer(
        base.mark_rule(opacity=0.6).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_tick(thickness=2, size=11, color="var(--muted)").encode(x="white:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=x, color=color),
    )
    return finished(chart)


def _kinds(kinds: Sequence[Kind]) -> Table:
    columns = (
        Column("what", "Behind against before"),
        Column("same_size", "Maps keep their size"),
        Column("nodes", "Places", whole),
        Column("defined", "With a share in space", whole),
        Column("difference", "In space, points", points),
        Column("difference_low", "95 % from", points),
        Column("difference_high", "to", points),
        Column("time_defined", "Along time", whole, "places with a share along time"),
        Column("time_difference", "Along time, points", points),
        Column("time_difference_low", "95 % from", points),
        Column("time_difference_high", "to", points),
    )
    values = (dict(kind) | {"same_size": "yes" if kind.same_size else "no"} for kind in kinds)
    return table("spectrum_kinds", "What changes the share", columns, values)


def _edges(edges: Sequence[Edge]) -> Table:
    columns = (
        Column("label", "Edge"),
        Column("kind", "Op"),
        Column("domain", "Carries"),
        Column("size", "Map"),
        Column("share", "In space %", hundredths),
        Column("share_low", "95 % from", hundredths),
        Column("share_high", "to", hundredths),
        Column("share_white", "White noise %", hundredths),
        Column("left_out", "No share, because"),
        Column("time_share", "Along time %", hundredths),
        Column("time_share_low", "95 % from", hundredths),
        Column("time_share_high", "to", hundredths),
        Column("time_share_white", "White noise %", hundredths),
        Column("time_left_out", "No share, because"),
    )
    sizes = [f"{edge.height} x {edge.width}" if edge.height else None for edge in edges]
    values = (
        {**dict(edge), "label": edge.label, "size": size}
        for edge, size in zip(edges, sizes, strict=True)
    )
    return table("spectrum_edges", "Share on each edge", columns, values)
