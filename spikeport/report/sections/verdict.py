"""Five figures about a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spikeport.estimate.numbers import between, hundredths, percent, points, significant
from spikeport.report.assets import Assets
from spikeport.report.gather import Subject
from spikeport.report.tables import energy

FLOAT_TARGETS = ("reference", "spikingjelly", "onnx", "nir")
"""Targets that run in floating point: what fixed point loses is against the first of them."""


@dataclass(frozen=True)
class Card:
    """One figure.

    Attributes:
        value: the figure itself, "" if it is not known.
        within: its interval or size of the sample.
        detail: what it is a figure of.
        mood: "good", "bad" or "".
    """

    title: str
    value: str = ""
    within: str = ""
    detail: str = ""
    mood: str = ""


def build(subject: Subject, _: Assets) -> dict[str, Any]:
    """One card per figure; those that are not known say how to get them."""
    return {
        "cards": [
            _accuracy(subject),
            _energy(subject),
            _ratio(subject),
            _fixed_point(subject),
            _parity(subject),
        ],
        "warnings": [] if subject.energy is None else _warnings(subject.energy.report.notes),
    }


def _warnings(notes: list[str]) -> list[str]:
    """What a reader must know before he believes the figures."""
    return [note for note in notes if note.startswith("WARNING")]


def _accuracy(subject: Subject) -> Card:
    title = "Accuracy"
    if subject.evaluation is not None:
        name, content = subject.evaluation.first, subject.evaluation.content
        found = content.targets[name]
        low, high = found.interval
        detail = f"{found.correct:,} of {content.samples:,} samples right, {name}"
        return _share_card(title, found.accuracy, low, high, detail)
    accuracy = None if subject.energy is None else subject.energy.report.accuracy
    if accuracy is None:
        return Card(title, detail="Not measured: run spikeport evaluate.")
    detail = f"{accuracy.correct:,} of {accuracy.count:,} samples right"
    low, high = accuracy.top1_low, accuracy.top1_high
    return _share_card(title, accuracy.top1, low, high, detail)


def _share_card(title: str, share: float, low: float, high: float, detail: str) -> Card:
    return Card(title, f"{hundredths(share)} %", f"{between(low, high)} %", detail)


def _energy(subject: Subject) -> Card:
    title = "Energy per sample"
    if subject.energy is None:
        return Card(title, detail="Not estimated: run spikeport estimate.")
    report = subject.energy.report
    totals, model = report.totals, report.energy_models[0]
    within = ""
    if totals.energy_uJ_low is not None and totals.energy_uJ_high is not None:
        within = f"{energy(totals.energy_uJ_low)} to {energy(totals.energy_uJ_high)}"
    unverified = len(model.unverified_constants)
    detail = (
        f"{model.id}, {unverified} of {len(report.energy_model.constants)} constants unverified"
    )
    mood = "" if report.headline.startswith("Energy report") else "bad"
    return Card(title, energy(totals.energy_uJ), within, detail, mood)


def _ratio(subject: Subject) -> Card:
    title = "Spiking / non-spiking energy"
    found = None if subject.energy is None else subject.energy.report.comparison
    if found is None or not found.dense_energy_uJ:
        return Card(title, detail="Not known: the energy model prices no multiply-accumulate.")
    ratio = found.spiking_energy_uJ / found.dense_energy_uJ
    cheaper = ratio < 1
    told = "Nothing is spent on spikes."
    if ratio:
        times = significant(1 / ratio if cheaper else ratio)
        told = f"{times} times {'cheaper' if cheaper else 'dearer'} than the same network with ReLU"
    within = ""
    # Nothing may be charged at this width of activations.
    if found.quantised_energy_uJ:
        quantised = significant(found.spiking_energy_uJ / found.quantised_energy_uJ)
        within = f"{quantised} against {found.bits}-bit activations"
    return Card(title, significant(ratio), within, told, "good" if cheaper else "bad")


def _fixed_point(subject: Subject) -> Card:
    title = "Loss in fixed point"
    found = {} if subject.evaluation is None else subject.evaluation.content.targets
    fixed = {name: each for name, each in found.items() if _target(name) not in FLOAT_TARGETS}
    if not fixed or len(found) < 2 or next(iter(found)) in fixed:
        return Card(title, detail="Not measured: run spikeport evaluate --target reference,lava.")
    name, target = next(iter(fixed.items()))
    low, high = target.difference_interval
    value = f"{points(-target.difference)} points"
    value = value.replace("+0.00", "0.00").replace("-0.00", "0.00")
    within = f"{-100 * high:+.1f} to {-100 * low:+.1f} points"
    right, same = hundredths(target.accuracy), hundredths(target.agreement)
    detail = f"{name}: {right} %, same answer in {same} %"
    return Card(title, value, within, detail)


def _target(name: str) -> str:
    """Without the backend: `lava:pump` is Lava."""
    return name.partition(":")[0]


def _parity(subject: Subject) -> Card:
    title = "Parity"
    reports = {name: each.parity for name, each in subject.lowered.items() if each.parity}
    stages = [stage for report in reports.values() for stage in report.stages]
    if not stages:
        return Card(title, detail="Not shown: run spikeport lower.")
    exact = [stage for stage in stages if stage.exact]
    different = sum(stage.different for stage in exact)
    compared = sum(stage.compared for stage in exact)
    inexact = [stage for stage in stages if not stage.exact]
    told = "; ".join(
        f"{stage.title}: {percent(stage.different / stage.compared)} % differ"
        for stage in inexact
        if stage.different
    )
    if not exact:
        worst = max(inexact, key=lambda stage: stage.different / max(stage.compared, 1))
        value = f"{percent(worst.different / max(worst.compared, 1))} % differ"
        return Card(title, value, f"of {worst.compared:,} spikes, where equality is not due", told)
    value = "exact" if not different else f"{different:,} differ"
    stages_told = f"{len(exact)} comparison{'s' if len(exact) > 1 else ''}"
    within = f"{compared:,} spikes in {stages_told} that must be equal"
    return Card(title, value, within, told, "good" if not different else "bad")
