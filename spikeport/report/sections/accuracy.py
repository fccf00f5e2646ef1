"""Accuracy by target, over time steps, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

from spikeport.estimate.numbers import hundredths, points, si
from spikeport.report.artefacts.evaluation import Evaluated, EvaluationArtefact, Step
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, colours, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, brief, figure, table, whole

_HEIGHT, _CELL = 260, 22
_PERCENT = 100


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """Table of targets, curve over steps and confusion, as far as they were evaluated."""
    if subject.evaluation is None:
        return None
    found = subject.evaluation.content
    return {
        "data": subject.evaluation.data,
        "samples": found.samples,
        "table": _targets(subject.evaluation),
        "curve": _curve(found, assets),
        "steps": _steps(found),
        "confusions": _confusions(found, assets),
        "classes": _classes(found),
    }


def _targets(artefact: EvaluationArtefact) -> Table:
    columns = (
        Column("target", "Target"),
        Column("accuracy", "Accuracy %", hundredths),
        Column("low", "95 % from", hundredths),
        Column("high", "to", hundredths),
        Column("correct", "Right", whole),
        Column("agreement", "Same answer %", hundredths, f"as {artefact.first}"),
        Column("difference", "Difference, points", points),
        Column("difference_low", "95 % from", points),
        Column("difference_high", "to", points),
        Column("p", "p", brief, "exact McNemar test"),
        Column("latency_steps", "Later by steps", whole),
    )
    values = []
    for name, target in artefact.content.targets.items():
        row = {**dict(target), "target": name, "p": target.mcnemar_p}
        row["low"], row["high"] = target.interval
        row["difference_low"], row["difference_high"] = target.difference_interval
        if name == artefact.first:
            # Against itself there is nothing to say.
            row |= dict.fromkeys(("difference", "difference_low", "difference_high", "p"))
        values.append(row)
    caption = f"Targets on {artefact.data}, {artefact.content.samples:,} samples"
    return table("targets", caption, columns, values)


def curve_rows(name: str, steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Rows of a curve: accuracy in per cent with its interval."""
    return [
        {
            "network": name,
            "T": step.steps,
            "accuracy": _PERCENT * step.accuracy,
            "low": _PERCENT * (step.interval or (step.accuracy,))[0],
            "high": _PERCENT * (step.interval or (step.accuracy,))[-1],
            "uJ": step.energy_uJ,
        }
        for step in steps
        if step.accuracy is not None
    ]


def curve_chart(values: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """Accuracy against energy, or against T where energy is not known for fewer steps.

    Args:
        values: see `curve_rows`.
        names: of the lines, in the order of their colours.
    """
    spent = all(row["uJ"] is not None for row in values)
    x = (
        alt.X("uJ:Q", title="\u00b5J per sample", scale=alt.Scale(zero=False))
        if spent
        else alt.X("T:O", title="time steps", axis=alt.Axis(labelAngle=0))
    )
    color = alt.Color(
        "network:N",
        scale=alt.Scale(domain=names, range=colours(len(names))),
        legend=alt.Legend(orient="top", title=None) if len(names) > 1 else None,
    )
    y = alt.Y("accuracy:Q", title="accuracy %", scale=alt.Scale(zero=False))
    base = alt.Chart(rows(values), width=FLUID, height=_HEIGHT).encode(x=x, color=color)
    tips = [
        alt.Tooltip("network:N"),
        alt.Tooltip("T:Q", title="steps"),
        alt.Tooltip("accuracy:Q", format=".2f"),
        alt.Tooltip("low:Q", format=".2f", title="95 % from"),
        alt.Tooltip("high:Q", format=".2f", title="to"),
        alt.Tooltip("uJ:Q", format=".4g", title="\u00b5J"),
    ]
    chart = alt.layer(
        base.mark_rule(opacity=0.5).encode(
            y=alt.Y("low:Q", title="accuracy %", scale=alt.Scale(zero=False)), y2="high:Q"
        ),
        base.mark_line().encode(y=y, order="T:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(y=y, tooltip=tips),
        base.mark_text(dy=-12, fontSize=11).encode(y=y, text="T:N"),
    )
    return finished(chart)


def _curve(found: Evaluated, assets: Assets) -> Chart | None:
    values = [
        row for name, target in found.targets.items() for row in curve_rows(name, target.curve)
    ]
    if not values:
        return None
    title = "Accuracy against cost when the network is stopped after T steps"
    told = "One line per target, one point per number of steps; figures in the table."
    return assets.chart(curve_chart(values, list(found.targets)), title, told)


def _steps(found: Evaluated) -> Table | None:
    columns = (
        Column("target", "Target"),
        Column("steps", "T", whole),
        Column("accuracy", "Accuracy %", hundredths),
        Column("low", "95 % from", hundredths),
        Column("high", "to", hundredths),
        Column("sop", "SOP", si),
        Column("energy_uJ", "Energy \u00b5J", figure),
    )
    values = [
        {
            **dict(step),
            "target": name,
            "low": step.interval[0] if step.interval else None,
            "high": step.interval[1] if step.interval else None,
        }
        for name, target in found.targets.items()
        for step in target.curve
    ]
    return table("curve", "Stopped after T steps", columns, values) if values else None


def _confusions(found: Evaluated, assets: Assets) -> list[Chart]:
    charts = []
    for name, target in found.targets.items():
        size = len(target.confusion)
        if not size:
            continue
        words = found.classes if len(found.classes) == size else tuple(map(str, range(size)))
        values = [
            {"label": words[i], "prediction": words[j], "i": i, "j": j, "samples": samples}
            for i, line in enumerate(target.confusion)
            for j, samples in enumerate(line[:size])
            if samples and i != j
        ]
        if values:
            title = f"Mistakes of {name}: which class is taken for which"
            told = f"Heat map of {len(values)} pairs of classes that are mistaken for each other."
            charts.append(assets.chart(_mistakes(values), title, told))
    return charts


def _mistakes(values: list[dict[str, Any]]) -> dict[str, Any]:
    chart = (
        alt.Chart(rows(values), width=alt.Step(_CELL), height=alt.Step(_CELL))
        .mark_rect()
        .encode(
            x=alt.X("prediction:N", sort=alt.EncodingSortField("j", op="min"), title="taken for"),
            y=alt.Y("label:N", sort=alt.EncodingSortField("i", op="min"), title="is"),
            color=alt.Color(
                "samples:Q",
                scale=alt.Scale(scheme="viridis", domainMin=0),
                legend=alt.Legend(orient="right", format="d", tickMinStep=1),
            ),
            tooltip=[alt.Tooltip("label:N"), alt.Tooltip("prediction:N"), alt.Tooltip("samples:Q")],
        )
    )
    return finished(chart)


def _classes(found: Evaluated) -> Table | None:
    columns = (
        Column("target", "Target"),
        Column("class", "Class"),
        Column("samples", "Samples", whole),
        Column("recall", "Recall %", hundredths),
        Column("precision", "Precision %", hundredths),
    )
    values = [
        {**dict(row), "target": name, "class": _class(found, row.label)}
        for name, target in found.targets.items()
        for row in target.per_class
    ]
    return (
        table("classes", "Recall and precision of each class", columns, values) if values else None
    )


def _class(found: Evaluated, label: int) -> str:
    return found.classes[label] if 0 <= label < len(found.classes) else str(label)
