"""From files and folders that commands wrote to rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from spikeport.comparison.answers import read_answers
from spikeport.comparison.rows import Row, Spent, Stored
from spikeport.core.errors import FileError, UsageError
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.stats import Share
from spikeport.report.artefacts import EnergyArtefact, EvaluationArtefact, WidthsArtefact, widths
from spikeport.report.artefacts.evaluation import Target
from spikeport.report.artefacts.reading import unusable
from spikeport.report.gather import artefacts_in, named_place

USUAL = "reference"
"""A target that needs no mention in a row's name."""
MOST_ROWS = 200
_FIX = "Name folders that estimate or evaluate wrote with --out, or tables of evaluate --bits."


def read_rows(places: Iterable[str | os.PathLike[str]], *, curve: bool = False) -> list[Row]:
    """The rows behind places, in their order.

    Args:
        places: folders that `estimate` or `evaluate` wrote, or that hold such, and files that
            `evaluate --bits` wrote; `NAME=PLACE` names the network.
        curve: also a row for each number of steps after which the network was stopped.

    Raises:
        UsageError: no place is given, or they hold too many rows.
        FileError: a place holds nothing that can be compared, or something that cannot be used.
    """
    rows = [row for place in places for row in _rows_of(os.fspath(place), curve)]
    if not rows:
        raise UsageError("there is nothing to compare.", where="spikeport compare", fix=_FIX)
    if len(rows) > MOST_ROWS:
        raise UsageError(
            f"there are {len(rows)} rows, of which {MOST_ROWS} can be told apart.",
            where="spikeport compare",
            fix="Name fewer folders.",
        )
    return told_apart(rows)


def told_apart(rows: list[Row]) -> list[Row]:
    """Rows with names of their own: by T where that differs, else by source, else by number."""
    by: tuple[Callable[[Row], str], ...] = (
        lambda row: "" if row.steps is None else f"T={row.steps}",
        lambda row: printable(str(row.source)),
    )
    for extra in by:
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.name, []).append(row)
        more = {name for name, group in groups.items() if len(set(map(extra, group))) > 1}
        rows = [
            replace(row, name=_joined(row.name, extra(row))) if row.name in more else row
            for row in rows
        ]
    seen: Counter[str] = Counter()
    apart = []
    for row in rows:
        seen[row.name] += 1
        again = seen[row.name] > 1
        apart.append(replace(row, name=f"{row.name} ({seen[row.name]})") if again else row)
    return apart


def printable(text: str) -> str:
    """Text without line breaks and control characters."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _rows_of(place: str, curve: bool) -> list[Row]:
    name, path = named_place(place)
    if path.is_file() and path.suffix in widths.SUFFIXES:
        return _of_widths(printable(name), widths.of_file(path))
    found = artefacts_in(path)
    evaluations = [each for each in found if isinstance(each, EvaluationArtefact)]
    reports = [each for each in found if isinstance(each, EnergyArtefact)]
    sweeps = [each for each in found if isinstance(each, WidthsArtefact)]
    if not evaluations and not reports and not sweeps:
        kinds = ", ".join(sorted({each.kind for each in found}))
        raise FileError(
            f"this tells neither accuracy nor energy, only: {kinds}.", where=str(path), fix=_FIX
        )
    known = printable(name)
    costs = [_of_report(known, each) for each in reports]
    rows = [row for each in evaluations for row in _of_evaluation(known, each, costs, curve)]
    rows += [row for each in sweeps for row in _of_widths(known, each)]
    return rows + [cost for cost in costs if not any(_covers(row, cost) for row in rows)]


def _of_evaluation(
    name: str, artefact: EvaluationArtefact, costs: list[Row], curve: bool
) -> list[Row]:
    found = artefact.content
    base = name or printable(artefact.model) or printable(artefact.source.name)
    answers = read_answers(artefact)
    rows = []
    for target, result in found.targets.items():
        told = target != USUAL or len(found.targets) > 1
        whole = Row(
            name=_joined(base, printable(target) if told else ""),
            source=artefact.source,
            model=artefact.model,
            target=target,
            steps=found.steps,
            bits=None,
            graph_sha256=artefact.graph_of(target),
            data=artefact.data,
            data_sha256=found.data.sha256,
            provenance=artefact.provenance,
            samples=found.samples,
            right=_share(artefact.source, result.correct, found.samples),
            energy=_spent(result),
            sop=None if result.energy is None else result.energy.sop,
            parameters=result.parameters,
            latency_steps=result.latency_steps,
            answers=answers.get(target),
            notes=_uncounted(result.energy.uncounted if result.energy else ()),
        )
        whole = _filled(whole, costs)
        rows += [whole, *(_of_curve(whole, result) if curve else [])]
    return rows


def _of_curve(whole: Row, result: Target) -> list[Row]:
    """Rows of fewer steps than all; only totals are stored of them."""
    model = None if result.energy is None else result.energy.model
    return [
        replace(
            whole,
            name=_joined(whole.name, f"T={step.steps}"),
            steps=step.steps,
            right=_share(whole.source, step.correct, whole.samples),
            energy=None
            if model is None or step.energy_uJ is None
            else Spent(model, step.energy_uJ),
            sop=step.sop,
            answers=None,
        )
        for step in result.curve
        if step.steps != whole.steps and step.accuracy is not None
    ]


def _filled(row: Row, costs: list[Row]) -> Row:
    """What energy reports of the same graph on the same samples tell beyond the evaluation."""
    for cost in costs:
        if _same_run(row, cost):
            row = replace(
                row,
                energy=row.energy or cost.energy,
                sop=cost.sop if row.sop is None else row.sop,
                parameters=cost.parameters if row.parameters is None else row.parameters,
            )
    return row


def _same_run(row: Row, cost: Row) -> bool:
    return bool(cost.graph_sha256) and _run(row) == _run(cost)


def _run(row: Row) -> tuple[object, ...]:
    return row.graph_sha256, row.data, row.data_sha256, row.samples, row.steps


def _covers(row: Row, cost: Row) -> bool:
    """Whether a row of an evaluation already says what an energy report does."""
    assert cost.energy is not None
    return _same_run(row, cost) and row.energy is not None and row.energy.model == cost.energy.model


def _of_report(name: str, artefact: EnergyArtefact) -> Row:
    report, totals = artefact.report, artefact.report.totals
    right = report.accuracy
    uncounted = tuple(
        each.path or each.node for each in report.ledger if each.status == Coverage.UNCOUNTED
    )
    return Row(
        name=name or printable(artefact.model) or printable(artefact.source.name),
        source=artefact.source,
        model=artefact.model,
        target="",
        steps=report.steps,
        bits=None,
        graph_sha256=report.origin.get("graph_sha256", ""),
        data=f"{report.data.name}/{report.data.split}",
        data_sha256=report.data.sha256,
        provenance=report.data.provenance,
        samples=report.samples,
        right=None if right is None else _share(artefact.source, right.correct, right.count),
        energy=Spent(
            report.energy_model.id, totals.energy_uJ, totals.energy_uJ_low, totals.energy_uJ_high
        ),
        sop=totals.sop,
        parameters=artefact.parameters,
        latency_steps=None,
        notes=_uncounted(uncounted),
    )


def _of_widths(name: str, artefact: WidthsArtefact) -> list[Row]:
    found = artefact.content
    base = name or printable(found.model) or printable(artefact.source.stem)
    return [
        Row(
            name=_joined(base, "float" if row.bits is None else f"{row.bits} bits"),
            source=artefact.source,
            model=found.model,
            target="reference" if row.bits is None else "lava",
            steps=found.steps,
            bits=row.bits,
            graph_sha256=found.graph_sha256 if row.bits is None else "",
            data=found.data,
            data_sha256="",
            provenance=found.provenance,
            samples=row.count,
            right=Share(row.correct, row.count),
            energy=Spent(found.energy_model, row.energy_uj),
            sop=row.sop,
            parameters=None,
            latency_steps=None,
            stored=Stored(row.difference, row.difference_low, row.difference_high, row.p_value),
            notes=_uncounted(found.uncounted),
        )
        for row in found.rows
    ]


def _spent(result: Target) -> Spent | None:
    if result.energy is None:
        return None
    low, high = result.energy.energy_uJ_interval or (None, None)
    return Spent(result.energy.model, result.energy.energy_uJ, low, high)


def _share(source: Path, hits: int, count: int) -> Share:
    if not 0 <= hits <= count or not count:
        raise unusable(source, "result", f"{hits} of {count} samples cannot be right")
    return Share(hits, count)


def _uncounted(nodes: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{printable(node)} is not counted: energy lacks it" for node in nodes)


def _joined(first: str, second: str) -> str:
    return f"{first}, {second}" if second else first
