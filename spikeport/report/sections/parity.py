"""Every stage on the way to a target against the one before."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.estimate.numbers import percent
from spikeport.report.artefacts.lowered import LoweredArtefact, StageParity
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, brief, table, whole

_ROW = 15
_LEAST = 1e-5
"""Smallest share of differing spikes that has a colour of its own."""


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """By target: stages, heat maps of those that differ, layers, warnings."""
    targets = [_target(each, assets) for each in subject.lowered.values()]
    return {"targets": targets} if targets else None


def _target(artefact: LoweredArtefact, assets: Assets) -> dict[str, Any]:
    found = artefact.parity
    stages = [] if found is None else found.stages
    return {
        "name": artefact.target,
        "latency": artefact.manifest.latency,
        "samples": None if found is None else found.samples,
        "skipped": {} if found is None else found.skipped,
        "stages": _stages(artefact.target, stages) if stages else None,
        "equal": [stage.title for stage in stages if not stage.different],
        "firsts": [(s.left, s.right, s.first) for s in stages if s.first],
        "charts": [_heat_map(stage, assets) for stage in stages if stage.different],
        "layers": _layers(artefact.target, stages) if stages else None,
        "warnings": _warnings(artefact) if artefact.warnings else None,
    }


def _stages(target: str, stages: list[StageParity]) -> Table:
    columns = (
        Column("stage", "Stages"),
        Column("must", "Must be equal"),
        Column("compared", "Spikes", whole),
        Column("different", "Differ", whole),
        Column("share", "Differ %", percent),
        Column("output_difference", "Outputs within", brief),
        Column("same_answer", "Same answer %", percent),
    )
    values = (
        {
            **dict(stage),
            "stage": stage.title,
            "must": "yes" if stage.exact else "no",
            "share": stage.different / stage.compared if stage.compared else None,
        }
        for stage in stages
    )
    return table(f"parity_{target}", f"Stages on the way to {target}", columns, values)


def _heat_map(stage: StageParity, assets: Assets) -> Chart:
    values = [
        {
            "layer": layer.path or layer.layer,
            "order": order,
            "step": step + 1,
            "share": share,
            "shown": max(share, _LEAST) if share else None,
        }
        for order, layer in enumerate(stage.layers)
        for step, share in enumerate(layer.by_step)
    ]
    chart = (
        alt.Chart(rows(values), width=FLUID, height=_ROW * len(stage.layers))
        .mark_rect(invalid="filter")
        .encode(
            x=alt.X("step:O", title="time step", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("layer:N", sort=alt.EncodingSortField("order", op="min"), title=None),
            color=alt.Color(
                "shown:Q",
                scale=alt.Scale(type="log", scheme="plasma", domain=[_LEAST, 1], reverse=True),
                legend=alt.Legend(orient="top", title="share of spikes that differ", format=".0e"),
            ),
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("step:O"),
                alt.Tooltip("share:Q", format=".3%", title="differ"),
            ],
        )
    )
    title = f"Where spikes differ: {stage.title}"
    told = (
        f"{stage.different:,} of {stage.compared:,} spikes differ, by layer and step; empty where "
        "none does. Figures in the table of layers."
    )
    return assets.chart(finished(chart), title, told)


def _layers(target: str, stages: list[StageParity]) -> Table:
    columns = (
        Column("stage", "Stages"),
        Column("name", "Layer"),
        Column("compared", "Spikes", whole),
        Column("different", "Differ", whole),
        Column("agreement", "Equal %", percent),
        Column("alone", "Alone, equal %", percent, "the layer on the other side's spikes"),
        Column("rate", "Rate %", percent),
        Column("rate_error", "Rate error %", percent),
        Column("membrane_error", "Membrane error", brief, "in thresholds"),
    )
    values = (
        {
            **dict(layer),
            "stage": stage.title,
            "name": layer.path or layer.layer,
        }
        for stage in stages
        for layer in stage.layers
    )
    return table(f"parity_layers_{target}", "Each layer of each stage", columns, values)


def _warnings(artefact: LoweredArtefact) -> Table:
    columns = (
        Column("layer", "Layer"),
        Column("figure", "Figure"),
        Column("value", "Value", lambda value: f"{value:.6g}"),
        Column("limit", "Limit", lambda value: f"{value:.6g}"),
        Column("unit", "Unit"),
        Column("advice", "What to do"),
    )
    caption = f"Warnings of lowering to {artefact.target}"
    return table(f"warnings_{artefact.target}", caption, columns, map(dict, artefact.warnings))
