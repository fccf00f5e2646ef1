"""Energy per layer, stacked by kind, under every energy model."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt

from spikeport.estimate.numbers import percent, si, significant
from spikeport.report.artefacts.energy import Layer, Network, Priced, Report
from spikeport.report.assets import Assets
from spikeport.report.charts import FLUID, TICKS, colours, finished
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, energy, figure, table, whole

_ROW = 15
_LEGEND_COLUMNS = 4
_WORDS = {
    "sop": "synaptic operations",
    "mac": "multiply-accumulates",
    "dense": "dense operations",
    "spikes_out": "spikes sent",
    "events_in": "events read",
}


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """A chart that follows the chosen energy model, the table of layers, the table of models."""
    if subject.energy is None:
        return None
    report, net = subject.energy.report, subject.energy.network
    content: dict[str, Any] = {"layers": _layers(report), "papers": _papers(report)}
    if net is None:
        return content
    data = assets.keep("energy", _data(report, net))
    title = "Energy per layer, stacked by what it is spent on"
    told = f"Bars, one per layer of {subject.name}; the table of layers below has the figures."
    return content | {
        "data": data,
        "chosen": net.energy_models[0].id,
        "models": [_told(each) for each in net.energy_models],
        "table": _models(net),
        "chart": assets.chart(_chart(_kinds(net)), title, told, dataset=data),
    }


def _told(model: Priced) -> dict[str, str]:
    """What the page says when a model is chosen."""
    ratio = significant(model.energy_uJ / model.ann_energy_uJ) if model.ann_energy_uJ else ""
    return {
        "id": model.id,
        "title": model.title,
        "energy": energy(model.energy_uJ),
        "ratio": ratio,
        "unverified": f"{model.unverified} of {model.constants} constants unverified",
        "excludes": "; ".join(model.excludes),
    }


def _data(report: Report, net: Network) -> dict[str, Any]:
    """Compact: by model and kind one figure per layer, in the order of `layers`."""
    names = [layer.node for layer in report.layers]
    return {
        "nodes": names,
        "layers": [layer.label for layer in report.layers],
        "told": {model.id: _told(model) for model in net.energy_models},
        "models": {
            model.id: {
                _kind(kind): [float(f"{values.get(name, 0.0):.6g}") for name in names]
                for kind, values in model.kinds.items()
            }
            for model in net.energy_models
        },
    }


def _kinds(net: Network) -> list[str]:
    """Kinds of charge under any model, those of most models first."""
    used = Counter(_kind(kind) for model in net.energy_models for kind in model.kinds)
    return [kind for kind, _ in used.most_common()]


def _kind(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))


def _chart(kinds: list[str]) -> dict[str, Any]:
    chart = (
        alt.Chart(alt.NamedData(name="rows"), width=FLUID, height=_ROW, usermeta={"row": _ROW})
        .mark_bar()
        .encode(
            y=alt.Y("layer:N", sort=alt.EncodingSortField("order", op="min"), title=None),
            x=alt.X("uJ:Q", title="\u00b5J per sample", axis=alt.Axis(tickCount=TICKS)),
            color=alt.Color(
                "kind:N",
                sort=kinds,
                scale=alt.Scale(range=colours(len(kinds))),
                legend=alt.Legend(orient="top", columns=_LEGEND_COLUMNS, title=None),
            ),
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("kind:N"),
                alt.Tooltip("uJ:Q", format=".4g", title="\u00b5J"),
            ],
        )
    )
    return finished(chart)


def _layers(report: Report) -> Table:
    columns = (
        Column("layer", "Layer"),
        Column("stage", "Stage"),
        Column("part", "Part"),
        Column("kind", "Op"),
        Column("input_domain", "Reads"),
        Column("firing_rate_in", "Rate in %", percent, "events per input element and step"),
        Column("firing_rate_out", "Rate out %", percent, "spikes per neuron and step"),
        Column("events_in", "Events", si),
        Column("sop", "SOP", si, "synaptic operations"),
        Column("mac", "MAC", si, "multiply-accumulates on real input"),
        Column("energy_uJ", "Energy \u00b5J", figure),
        Column("energy_half", "\u00b1 \u00b5J", figure, "half of the 95 % interval"),
        Column("energy_share", "Share %", percent),
        Column("ann_energy_uJ", "ReLU \u00b5J", figure, "the layer without spikes, one pass"),
    )
    rows = (
        {**dict(layer), "layer": layer.label, "energy_half": _half(layer)}
        for layer in report.layers
    )
    caption = f"Layers, mean per sample, under {report.energy_model.id}"
    return table("layers", caption, columns, rows)


def _half(layer: Layer) -> float | None:
    if layer.energy_uJ_low is None or layer.energy_uJ_high is None:
        return None
    return (layer.energy_uJ_high - layer.energy_uJ_low) / 2


def _models(net: Network) -> Table:
    columns = (
        Column("id", "Energy model"),
        Column("title", "What it is"),
        Column("energy_uJ", "Energy \u00b5J", figure),
        Column("ratio", "Spiking / ReLU", figure),
        Column("unverified", "Unverified", whole, "constants known only second-hand"),
        Column("constants", "Constants", whole),
        Column("excludes", "Leaves out"),
    )
    rows = (
        {
            **dict(each),
            "ratio": each.energy_uJ / each.ann_energy_uJ if each.ann_energy_uJ else None,
            "excludes": "; ".join(each.excludes),
        }
        for each in net.energy_models
    )
    return table("energy_models", "The same counts under every energy model", columns, rows)


def _papers(report: Report) -> Table:
    columns = (
        Column("mode", "Convention"),
        Column("energy_uJ", "Energy \u00b5J", figure),
        Column("deviation_percent", "Against exact %", lambda value: f"{value:+.1f}"),
        Column("conventions", "How it differs"),
        Column("source", "Source"),
    )
    rows = ({**dict(each), "conventions": "; ".join(each.conventions)} for each in report.papers)
    caption = "As papers would count it (never instead of the exact count)"
    return table("papers", caption, columns, rows)
