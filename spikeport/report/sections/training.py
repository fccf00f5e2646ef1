"""How the weights came about."""

from __future__ import annotations

from typing import Any

import altair as alt

from spikeport.estimate.numbers import hundredths
from spikeport.report.assets import Assets, Chart
from spikeport.report.charts import FLUID, finished, rows
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, table

_HEIGHT = 180


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """Facts of the recipe, and the epochs if their state is still there."""
    if subject.training is None:
        return None
    info = subject.training.info
    recipe = info.recipe.model_dump(mode="json")
    columns = (Column("setting", "Setting"), Column("value", "Value"))
    settings = ({"setting": name, "value": value} for name, value in _flat(recipe).items())
    return {
        "accuracy": f"{hundredths(info.accuracy)} %",
        "samples": info.test_samples,
        "provenance": info.provenance,
        "epochs": len(subject.training.history) or recipe.get("epochs"),
        "chart": _chart(subject, assets),
        "table": table("recipe", "Recipe", columns, settings),
    }


def _chart(subject: Subject, assets: Assets) -> Chart | None:
    history = [] if subject.training is None else subject.training.history
    if len(history) < 2:
        return None
    values = [{"epoch": each.epoch, "loss": each.loss} for each in history]
    chart = (
        alt.Chart(rows(values), width=FLUID, height=_HEIGHT)
        .mark_line(color="var(--c0)", point=alt.OverlayMarkDef(color="var(--c0)"))
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("loss:Q", scale=alt.Scale(zero=False)),
            tooltip=[alt.Tooltip("epoch:Q"), alt.Tooltip("loss:Q", format=".4f")],
        )
    )
    told = f"From {history[0].loss:.4f} in the first epoch to {history[-1].loss:.4f} in the last."
    return assets.chart(finished(chart), "Loss while learning", told)


def _flat(value: dict[str, Any], before: str = "") -> dict[str, str]:
    """Nested settings by dotted name."""
    found: dict[str, str] = {}
    for name, each in value.items():
        if isinstance(each, dict):
            found |= _flat(each, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = str(each)
    return found
