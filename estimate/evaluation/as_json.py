"""An evaluation as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from spikeport.estimate.energy.memory import parameters
from spikeport.estimate.evaluation.agreement import Agreement
from spikeport.estimate.evaluation.calibration import Calibration
from spikeport.estimate.evaluation.confusion import ClassRow
from spikeport.estimate.evaluation.curve import StepRow
from spikeport.estimate.evaluation.early_exit import ExitRow
from spikeport.estimate.evaluation.result import TOP, Evaluation, TargetResult
from spikeport.estimate.evaluation.timing import Timing
from spikeport.estimate.formats import EVALUATION_STAMP
from spikeport.estimate.paired import Paired
from spikeport.estimate.stats import Share, Statistics


def as_json(found: Evaluation) -> dict[str, Any]:
    """Everything but single samples; wall-clock times apart from all else."""
    first = next(iter(found.targets))
    against = {pair.second: pair for pair in found.agreements if pair.first == first}
    return {
        "format": EVALUATION_STAMP[0],
        "version": EVALUATION_STAMP[1],
        "data": asdict(found.data),
        "samples": len(found.samples),
        "steps": found.steps,
        "classes": list(found.class_names),
        "targets": {
            name: _target(result, against.get(name)) for name, result in found.targets.items()
        },
        "agreements": [
            {"first": pair.first, "second": pair.second, **_agreement(pair)}
            for pair in found.agreements
        ],
        "origin": dict(found.origin),
        "timing": {
            name: _timing(result.timing)
            for name, result in found.targets.items()
            if result.timing is not None
        },
    }


def _target(result: TargetResult, against: Agreement | None) -> dict[str, Any]:
    """`agreement`, `difference` and `mcnemar_p` compare with the first target."""
    content: dict[str, Any] = {
        **_share("accuracy", result.answers.top(1)),
        **_share(f"top{TOP}", result.answers.top(TOP)),
        **_agreement(against),
        "latency_steps": result.latency_steps,
        "parameters": sum(parameters(node) for node in result.graph),
        "calibration": _calibration(result.calibration),
        "per_class": [_class(row) for row in result.per_class],
        "confusion": result.confusion.tolist(),
    }
    if result.energy is not None:
        content["energy"] = _energy(result)
    if result.curve:
        content["curve"] = [_step(row) for row in result.curve]
        content["early_exit"] = [_exit(row) for row in result.exits]
    return content


def _share(name: str, share: Share | None) -> dict[str, Any]:
    """The plain names `correct` and `interval` are those of the accuracy."""
    before = "" if name == "accuracy" else f"{name}_"
    if share is None:
        return {name: None, f"{before}interval": None, f"{before}correct": 0}
    return {
        name: share.value,
        f"{before}interval": list(share.interval),
        f"{before}correct": share.hits,
    }


def _agreement(pair: Agreement | None) -> dict[str, Any]:
    if pair is None:
        # The first target, against itself.
        return {
            "agreement": 1.0,
            "difference": 0.0,
            "difference_interval": [0.0, 0.0],
            "mcnemar_p": 1.0,
        }
    return {"agreement": pair.same.value, **_paired(pair.change)}


def _paired(change: Paired) -> dict[str, Any]:
    return {
        "difference": change.difference,
        "difference_interval": list(change.interval),
        "mcnemar_p": change.p_value,
    }


def _calibration(found: Calibration) -> dict[str, Any]:
    return {"expected_error": found.error, "bins": [asdict(each) for each in found.bins]}


def _class(row: ClassRow) -> dict[str, Any]:
    return {
        "label": row.label,
        "samples": 0 if row.recall is None else row.recall.count,
        "predicted": 0 if row.precision is None else row.precision.count,
        **_share("recall", row.recall),
        **_share("precision", row.precision),
    }


def _energy(result: TargetResult) -> dict[str, Any]:
    report = result.energy
    assert report is not None
    return {
        "model": report.model.id,
        **_statistics("energy_uJ", result.energy_uj),
        **_statistics("sop", result.sop),
        "static_energy_uJ": result.static_uj,
        "excludes": list(report.model.left_out),
        "uncharged_operations": [term.value for term in report.energies.uncharged()],
        "uncounted": list(result.uncounted),
        "depends_on_all_steps": list(result.late),
    }


def _statistics(name: str, found: Statistics | None) -> dict[str, Any]:
    assert found is not None
    interval = None if found.low is None else [found.low, found.high]
    return {name: found.mean, f"{name}_std": found.std, f"{name}_interval": interval}


def _step(row: StepRow) -> dict[str, Any]:
    return {
        "steps": row.steps,
        **_share("accuracy", row.right),
        "sop": row.sop,
        "energy_uJ": row.energy_uj,
    }


def _exit(row: ExitRow) -> dict[str, Any]:
    return {
        "confidence": row.confidence,
        "mean_steps": row.steps,
        **_share("accuracy", row.right),
        **_paired(row.change),
        "energy_uJ": row.energy_uj,
        "saved": row.saved,
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        **asdict(timing),
        "samples_per_second": timing.samples_per_second,
        "events_per_second": timing.events_per_second,
    }
