"""The sweep of `spikeport evaluate --bits`: what each width of the weights costs on Lava, and what
it still gets right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.cli import options, output
from spikeport.cli.settings import parse_settings
from spikeport.core.errors import UsageError
from spikeport.estimate.numbers import between, hundredths, signed

if TYPE_CHECKING:
    from spikeport.bits import BitsSweep
    from spikeport.runs import Run

COMPARED_ALONE = 50
"""Recordings on which layers are compared one by one."""


def parse_widths(text: str) -> list[int]:
    """`4,6,8` as widths.

    Raises:
        UsageError: not a list of whole numbers.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"{text!r} is no list of widths.", where="--bits", fix="Write --bits 4,6,8."
        ) from None


def sweep(
    chosen: options.RunChoice,
    names: list[str],
    widths: list[int],
    energy: str | None,
    settings: list[str],
    out: Path | None,
    as_json: bool,
) -> None:
    """Run it, write it, print it.

    Raises:
        UsageError: a width, an option or the name of the table cannot be meant.
    """
    from spikeport.bits import ENERGY, checked_options, sweep_bits
    from spikeport.estimate import energy_model
    from spikeport.runs import open_run, spread, stack

    if "lava" not in names:
        raise UsageError(
            "only Lava's weights have a width.", where="--bits", fix="Add --target lava."
        )
    values, model = parse_settings(settings), energy_model(energy or ENERGY)
    if out is not None and out.suffix not in (".csv", ".json"):
        raise UsageError(
            f"{out.name} is no table that can be written.", where="--out", fix="Name it *.csv."
        )
    checked_options(widths, values)
    opened = open_run(chosen)
    swept = sweep_bits(
        opened.graph,
        opened.calibration(),
        opened.batches("Reading samples"),
        widths,
        sample=stack(opened.data, spread(len(opened.data), min(COMPARED_ALONE, opened.samples))),
        energy=model,
        **values,
    )
    swept = replace(swept, about=about(chosen, opened))
    if out is not None:
        swept.save(out)
    if as_json:
        output.print_json(swept.as_json())
        return
    _print(chosen, opened, swept)


def _print(chosen: options.RunChoice, opened: Run, sweep: BitsSweep) -> None:
    rows = [
        [
            "float" if row.bits is None else str(row.bits),
            hundredths(row.accuracy),
            between(row.low, row.high),
            "-"
            if row.bits is None
            else signed(row.difference, row.difference_low, row.difference_high),
            hundredths(row.agreement),
            "-" if row.worst_alone is None else hundredths(row.worst_alone),
            hundredths(row.rate_error),
            f"{row.weight_bytes:,}",
            f"{row.sop:,.0f}",
            f"{row.energy_uj:.4g}",
        ]
        for row in sweep.rows
    ]
    columns = ["bits", "accuracy %", "95 %", "difference, points", "same %"]
    columns += ["alone %", "rate error %", "weight bytes", "SOP", "uJ"]
    title = f"{chosen.model} on {opened.data.name}, {opened.samples} samples, on Lava"
    console = output.console()
    console.print(output.table(title, columns, rows, right=tuple(columns[5:])))
    console.print(
        "\nsame: answers equal to those of the float network. alone: equal spikes of the layer "
        "that differs most when it reads the float network's spikes. rate error: of the worst "
        f"layer. SOP and uJ per sample; prices of {sweep.energy_model} do not depend on the width."
        f"\nData: {opened.data.provenance}."
    )
    for name in sweep.uncounted:
        console.print(f"  {name} is not counted: energies lack it.")


def about(chosen: options.RunChoice, opened: Run) -> dict[str, str | int]:
    """What is known of network and data."""
    from spikeport.convert.storage import fingerprint

    return {
        "model": chosen.model,
        "graph_sha256": fingerprint(opened.graph),
        "data": opened.data.name,
        "provenance": opened.data.provenance,
        "samples": opened.samples,
        "steps": opened.data.frame_shape[0],
    }
