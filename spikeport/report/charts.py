"""Vega-Lite charts: colours are variables of the page's style, so that they follow its theme."""

from __future__ import annotations

from typing import Any

import altair as alt

CATEGORIES = 10
"""Colours `--c0` to `--c9` in the style."""
_FONT = "system-ui, sans-serif"
FLUID: Any = "container"
"""Width of a chart: that of the page's column."""
TICKS = 8
"""About as many on an axis of numbers."""


def colours(count: int) -> list[str]:
    """Of this many categories."""
    return [f"var(--c{index % CATEGORIES})" for index in range(count)]


def finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> dict[str, Any]:
    """The chart as JSON values, in the page's look.

    Altair checks it against Vega-Lite's schema on the way.
    """
    styled = chart.configure(
        background="transparent",
        font=_FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor="var(--muted)",
            titleColor="var(--muted)",
            gridColor="var(--line)",
            domainColor="var(--line)",
            tickColor="var(--line)",
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            labelLimit=260,
        ),
        legend=alt.LegendConfig(
            labelColor="var(--ink)",
            titleColor="var(--muted)",
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            symbolType="square",
            labelLimit=320,
        ),
        text=alt.MarkConfig(color="var(--ink)"),
        rule=alt.MarkConfig(color="var(--muted)"),
    )
    spec: dict[str, Any] = styled.to_dict(validate=True)
    return spec


def rows(values: list[dict[str, Any]]) -> alt.InlineData:
    """Rows of a chart as they are."""
    return alt.InlineData(values=values)
