"""Firing rates over layers and steps."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.estimate.numbers import percent
from spikeport.report.assets import Assets
from spikeport.report.charts import FLUID, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, table

_ROW = 16


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """A heat map and its table."""
    if subject.energy is None or subject.energy.network is None:
        return None
    net = subject.energy.network
    steps = max(map(len, net.rates.values()), default=0)
    if not steps:
        return None
    paths = {node.node: node.path or node.node for node in net.nodes}
    values = [
        {"layer": paths.get(name, name), "order": order, "step": step + 1, "rate": rate}
        for order, (name, by_step) in enumerate(net.rates.items())
        for step, rate in enumerate(by_step)
    ]
    chart = (
        alt.Chart(rows(values), width=FLUID, height=_ROW * len(net.rates))
        .mark_rect()
        .encode(
            x=alt.X("step:O", title="time step", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("layer:N", sort=alt.EncodingSortField("order", op="min"), title=None),
            color=alt.Color(
                "rate:Q",
                scale=alt.Scale(scheme="viridis", domainMin=0),
                legend=alt.Legend(orient="top", title="spikes per neuron", format=".0%"),
            ),
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("step:O"),
                alt.Tooltip("rate:Q", format=".2%"),
            ],
        )
    )
    columns = [Column("layer", "Layer"), Column("mean", "Mean %", percent)]
    columns += [Column(f"step{step + 1}", f"Step {step + 1} %", percent) for step in range(steps)]
    by_layer = (
        {"layer": paths.get(name, name), "mean": sum(by_step) / len(by_step)}
        | {f"step{step + 1}": rate for step, rate in enumerate(by_step)}
        for name, by_step in net.rates.items()
        if by_step
    )
    title = "Spikes per neuron and step"
    told = f"Heat map of {len(net.rates)} neuron layers and {steps} steps; figures in the table."
    return {
        "chart": assets.chart(finished(chart), title, told),
        "table": table("rates", "Spikes per neuron and step", columns, by_layer),
    }
