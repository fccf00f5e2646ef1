"""The tables of an evaluation, as pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from spikeport.estimate.evaluation.result import TOP, Evaluation, TargetResult

if TYPE_CHECKING:
    from spikeport.estimate.stats import Share, Statistics

SUMMARY = ("target", "samples", "correct", "accuracy", "accuracy_low", "accuracy_high")
CURVE = ("target", "steps", "correct", "accuracy", "accuracy_low", "accuracy_high", "sop")


def summary(found: Evaluation) -> pd.DataFrame:
    """One row per target: accuracy, calibration, cost and time as far as they were asked for."""
    return pd.DataFrame([_summary(name, each) for name, each in found.targets.items()])


def _summary(name: str, result: TargetResult) -> dict[str, Any]:
    row: dict[str, Any] = {"target": name, "samples": result.answers.count}
    row |= _share("accuracy", result.answers.top(1))
    row |= _share(f"top{TOP}", result.answers.top(TOP))
    row["calibration_error"] = result.calibration.error
    row["latency_steps"] = result.latency_steps
    row |= _statistics("sop", result.sop) | _statistics("energy_uJ", result.energy_uj)
    if result.timing is not None:
        row |= {
            "samples_per_second": result.timing.samples_per_second,
            "events_per_second": result.timing.events_per_second,
            "p50_seconds": result.timing.p50,
            "p95_seconds": result.timing.p95,
        }
    return row


def predictions(found: Evaluation) -> pd.DataFrame:
    """Sample, label, and by target the class, its score and its softmax."""
    first = next(iter(found.targets.values())).answers
    columns: dict[str, Any] = {"sample": found.samples, "label": first.labels}
    for name, result in found.targets.items():
        columns[f"prediction[{name}]"] = result.answers.predictions
        columns[f"score[{name}]"] = result.answers.scores
        columns[f"confidence[{name}]"] = result.answers.confidences
    return pd.DataFrame(columns)


def classes(found: Evaluation) -> pd.DataFrame:
    """Recall and precision of each class, with intervals; empty where there is no sample."""
    rows = [
        {
            "target": name,
            "label": row.label,
            "class": found.class_name(row.label),
            **_share("recall", row.recall, "samples"),
            **_share("precision", row.precision, "predicted"),
        }
        for name, result in found.targets.items()
        for row in result.per_class
    ]
    return pd.DataFrame(rows).astype({"samples": "Int64", "predicted": "Int64"})


def confusion(found: Evaluation, target: str) -> pd.DataFrame:
    """Rows are labels, columns predictions, by name of the class."""
    result = found.targets[target]
    names = [found.class_name(label) for label in range(result.classes)]
    return pd.DataFrame(result.confusion, index=pd.Index(names, name="label"), columns=names)


def curve(found: Evaluation) -> pd.DataFrame:
    """Accuracy, operations and energy after each step."""
    rows = [
        {
            "target": name,
            "steps": row.steps,
            **_share("accuracy", row.right),
            "sop": row.sop,
            "energy_uJ": row.energy_uj,
        }
        for name, result in found.targets.items()
        for row in result.curve
    ]
    return pd.DataFrame(rows, columns=None if rows else [*CURVE, "energy_uJ"])


def exits(found: Evaluation) -> pd.DataFrame:
    """Steps taken, accuracy and energy when samples stop at a confidence."""
    return pd.DataFrame(
        [
            {
                "target": name,
                "confidence": row.confidence,
                "mean_steps": row.steps,
                **_share("accuracy", row.right),
                "difference": row.change.difference,
                "difference_low": row.change.interval[0],
                "difference_high": row.change.interval[1],
                "energy_uJ": row.energy_uj,
                "saved": row.saved,
            }
            for name, result in found.targets.items()
            for row in result.exits
        ]
    )


def reliability(found: Evaluation) -> pd.DataFrame:
    """The bins of confidence."""
    return pd.DataFrame(
        [
            {"target": name, **vars(row)}
            for name, result in found.targets.items()
            for row in result.calibration.bins
        ]
    )


def _share(name: str, share: Share | None, count: str | None = None) -> dict[str, Any]:
    hits = {"accuracy": "correct"}.get(name, f"{name}_correct")
    if share is None:
        low = high = value = None
        total, right = 0, 0
    else:
        (low, high), value = share.interval, share.value
        total, right = share.count, share.hits
    row: dict[str, Any] = {} if count is None else {count: total}
    return row | {hits: right, name: value, f"{name}_low": low, f"{name}_high": high}


def _statistics(name: str, found: Statistics | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
