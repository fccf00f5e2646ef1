"""The tables that `spikeport compare` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.cli import output
from spikeport.estimate.numbers import MISSING, between, hundredths, si, signed

if TYPE_CHECKING:
    from rich.table import Table

    from spikeport.comparison import Comparison, Row

_LEGEND = (
    "95 %: Wilson's interval of an accuracy; of a difference in pairs that of Agresti and Min, p "
    "by McNemar's exact test; not in pairs that of Newcombe, p by Fisher's. front: no other row is "
    "at least as accurate for no more energy, by the means. Static power is not included."
)


def show(found: Comparison) -> None:
    """Print rows, differences, published rows, and what has to be said about them."""
    console = output.console()
    tables = [_rows(found), _costs(found), _differences(found), _published(found)]
    for table in filter(None, tables):
        console.print(table)
        console.print()
    console.print(_LEGEND)
    noted: dict[str, list[str]] = {}
    for place in range(len(found.rows)):
        for note in found.notes(place):
            noted.setdefault(note, []).append(str(place + 1))
    for note, places in noted.items():
        console.print(f"  {', '.join(places)}: {note}.")
    for told in dict.fromkeys(row.provenance for row in found.rows if row.provenance):
        console.print(f"Data: {told}.")
    if found.published:
        console.print(_beside(found))


def _rows(found: Comparison) -> Table:
    rows = [
        [
            *(str(place + 1), row.name, _steps(row), f"{row.samples:,}"),
            *_accuracy(row),
            ("*" if place in found.front else "") if place in found.figure else MISSING,
        ]
        for place, row in enumerate(found.rows)
    ]
    data = ", ".join(dict.fromkeys(row.data or "data not told" for row in found.rows))
    columns = ["#", "row", "T", "samples", "accuracy %", "95 %", "front"]
    return output.table(f"On {data}", columns, rows, right=("#", "samples"))


def _costs(found: Comparison) -> Table:
    rows = [
        [
            *(str(place + 1), row.name, *_energy(row)),
            *(si(row.sop), si(row.parameters)),
        ]
        for place, row in enumerate(found.rows)
    ]
    columns = ["#", "row", "uJ", "95 %", "energy model", "SOP", "parameters"]
    return output.table("Per sample", columns, rows, right=("#", "uJ", "SOP"))


def _differences(found: Comparison) -> Table | None:
    rows = []
    for place, each in enumerate(found.against):
        if each is None:
            continue
        change, saving = each.accuracy, each.energy
        points = [MISSING] * 3
        if change is not None:
            interval = signed(change.difference, change.low, change.high)
            points = [interval, f"{change.p_value:.2g}", change.method]
        spent, ratio = MISSING, MISSING
        if saving is not None:
            spent = f"{saving.difference:+.4g}"
            if saving.low is not None and saving.high is not None:
                spent += f" ({saving.low:+.3g} to {saving.high:+.3g})"
            ratio = MISSING if saving.ratio is None else f"{saving.ratio:.3f}"
        rows.append([str(place + 1), found.rows[place].name, *points, spent, ratio])
    columns = ["#", "row", "accuracy, points", "p", "samples", "energy, uJ", "energy ratio"]
    title = f"Against 1, {found.rows[0].name}"
    return output.table(title, columns, rows, right=("#",)) if rows else None


def _published(found: Comparison) -> Table | None:
    rows = []
    for number, each in enumerate(found.published, len(found.rows)):
        row = each.row
        energy = MISSING if row.energy_mj is None else f"{row.energy_mj}"
        mark = "" if row.verified or row.energy_mj is None else " ?"
        rows.append(
            [
                *(str(number + 1), " ".join(filter(None, [row.model, row.arch])), row.kind),
                MISSING if row.steps is None else str(row.steps),
                row.data if row.resolution is None else f"{row.data} {row.resolution}",
                MISSING if row.parameters_m is None else str(row.parameters_m),
                *(str(row.top1), energy + mark),
                MISSING if row.energy_mj is None else each.convention.value,
            ]
        )
    columns = ["#", "model", "kind", "T", "data", "params M", "top-1 %", "mJ", "convention"]
    title = "Published, not measured here"
    return output.table(title, columns, rows, right=("#",)) if rows else None


def _beside(found: Comparison) -> str:
    used = dict.fromkeys(each.convention for each in found.published if each.row.energy_mj)
    meanings = [f"{each.value}: {each.meaning}" for each in used]
    told = "; ".join(
        dict.fromkeys(
            f"{each.source}{f' ({each.row.note})' if each.row.note else ''}"
            for each in found.published
        )
    )
    parts = [f"Published: {told}."]
    if meanings:
        parts.append(f"Convention of energies: {'; '.join(meanings)}. ?: from one copy only.")
    if {each.row.data for each in found.published} != {row.data for row in found.rows}:
        parts.append("Figures on other data do not compare with those measured.")
    return " ".join(parts)


def _accuracy(row: Row) -> list[str]:
    if row.right is None:
        return [MISSING] * 2
    return [hundredths(row.right.value), between(*row.right.interval)]


def _energy(row: Row) -> list[str]:
    energy = row.energy
    if energy is None:
        return [MISSING] * 3
    ends = MISSING
    if energy.low is not None and energy.high is not None:
        ends = f"{energy.low:.4g} to {energy.high:.4g}"
    return [f"{energy.mean:.4g}", ends, energy.model]


def _steps(row: Row) -> str:
    steps = MISSING if row.steps is None else str(row.steps)
    return f"{steps} + {row.latency_steps}" if row.latency_steps else steps
