"""`spikeport robustness`: accuracy when events, pixels or the order of time are disturbed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.cli.experiments import Experiments
from spikeport.core.errors import UsageError
from spikeport.estimate.numbers import MISSING, between, hundredths, points, signed

if TYPE_CHECKING:
    from spikeport.estimate.robustness import Row, Section


@options.spread
def run(
    chosen: options.RunChoice,
    asked: Experiments,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for robustness.csv, .json and .svg."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say how much of its accuracy a network keeps when its input is disturbed.

    Every condition sees the same samples, so that differences from the clean run are paired;
    intervals are at 95 %. Attacks need images (--data images:FILE.npz, or a folder with a folder
    for each class), or event frames taken as real input (--box).

    Example: spikeport robustness max_former_digits --sweep drop=0.1,0.3 --sweep noise=1,10

    Example: spikeport robustness max_former_cifar --checkpoint cifar.pth --data images:test.npz
    --attack fgsm,pgd
    """
    from spikeport.cli.experimenting import measured
    from spikeport.cli.experiments import attacks_in, parse_sweeps
    from spikeport.cli.pictures import normalisation
    from spikeport.estimate.robustness.files import as_json as document
    from spikeport.estimate.robustness.files import save_sections
    from spikeport.robustness import levels_of

    sweeps = parse_sweeps(asked.sweep or [])
    attacks = attacks_in(asked)
    scale = normalisation(asked.mean, asked.std)
    levels_of(sweeps)  # a typing error must not cost a run
    if asked.layer is not None and not asked.temporal:
        raise UsageError(
            "only the order of time steps has a layer.", where="--layer", fix="Add --temporal 8."
        )
    if not (sweeps or attacks or asked.temporal):
        raise UsageError(
            "nothing to disturb was named.",
            where="robustness",
            fix="Add --sweep drop=0.1,0.3, or --attack fgsm, or --temporal 8.",
        )
    about, sections = measured(chosen, asked, sweeps, attacks, scale)
    files = save_sections(sections, out, about) if out is not None else []
    if as_json:
        output.print_json(document(sections, about))
        return
    for section in sections:
        _print(chosen.model, about, section)
    if files:
        output.console().print("\nFiles: " + ", ".join(map(str, files)))


_TITLES = {
    "events": "disturbed events",
    "attack": "white-box attacks (surrogate gradients, L_inf)",
    "time": "temporal sensitivity (a measure of Spikeport's own)",
}
_ATTACK_NOTE = (
    "pixels: eps and the box of 0 to 1 apply to pixels. normalised-clamp: as published, and wrong, "
    "to normalised values. Surrogate gradients overstate robustness (arXiv 2512.22522)."
)


def _print(model: str, about: dict[str, Any], section: Section) -> None:
    events = any(row.events is not None for row in section.rows)
    columns = ["condition", "level", "accuracy %", "95 %", "difference, points", "p"]
    columns += ["events"] if events else []
    rows = [_cells(row)[: len(columns)] for row in section.rows]
    console = output.console()
    title = f"{model} on {about['data']}, {about['samples']} samples: {_TITLES[section.measure]}"
    # As the table's own title it would be folded to the width of the table.
    console.print(title)
    console.print(output.table("", columns, rows, right=("level", "accuracy %", "events")))
    for mean in section.means:
        difference = (
            points(mean.difference)
            if mean.low is None or mean.high is None
            else signed(mean.difference, mean.low, mean.high)
        )
        console.print(f"Mean, {mean.of}: {hundredths(mean.accuracy)} %, {difference} points")
    units = {row.name: row.unit for row in section.rows if row.unit and row.unit != "order"}
    if units:
        told = "; ".join(f"{name} in {unit}" for name, unit in units.items())
        console.print(f"Levels: {told}.")
    for note in section.notes:
        console.print(f"Note: {note}.")
    if section.measure == "attack":
        box = f"1 stands for {about['box']:g} events. " if "box" in about else ""
        console.print(box + _ATTACK_NOTE)
    console.print(f"Data: {about['provenance']}. p: McNemar's exact test against clean.\n")


def _cells(row: Row) -> list[str]:
    clean = row.name == "clean"
    return [
        f"{row.name}, {row.variant}" if row.variant else row.name,
        f"{row.level:g}" if row.unit and row.unit != "order" else "",
        hundredths(row.accuracy),
        between(row.low, row.high),
        MISSING if clean else signed(row.difference, row.difference_low, row.difference_high),
        MISSING if clean else f"{row.p_value:.2g}",
        "" if row.events is None else f"{row.events:,.0f}",
    ]
