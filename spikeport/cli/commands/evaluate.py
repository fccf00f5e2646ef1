"""`spikeport evaluate`: accuracy on data, on one or more targets, or at several weight widths."""

from __future__ import annotations

from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.cli.settings import parse_settings
from spikeport.core.errors import UsageError

if TYPE_CHECKING:
    from spikeport.bits import BitsSweep
    from spikeport.cli.runs import Run

COMPARED_ALONE = 50
"""Recordings on which layers are compared one by one."""


@options.spread
def run(
    chosen: options.RunChoice,
    target: Annotated[
        str, typer.Option(help="Targets with commas between them; see spikeport list.")
    ] = "reference",
    bits: Annotated[
        str | None,
        typer.Option(help="For lava: widths of a weight, 4 to 16, with commas between them."),
    ] = None,
    energy: Annotated[
        str | None,
        typer.Option(help="With --bits: energy model (spikeport list) or .toml file of yours."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="With --bits: an option of the lowering; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="JSON file to write; with --bits *.csv too."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say how often a network is right, on each target, and how far the targets agree; or what
    each width of its weights costs on Lava, and what it still gets right.

    Intervals are at 95 %. Differences are paired: both networks see the same samples.

    Example: spikeport evaluate max_former_digits --data digits --target reference,lava

    Example: spikeport evaluate max_former_digits --target lava --bits 4,6,8,12 -o bits.csv
    """
    from spikeport.cli.runs import open_run
    from spikeport.targets import TARGETS

    names = [name.strip() for name in target.split(",")]
    for name in names:
        # A typing error must not cost a run.
        TARGETS[name]
    if bits is not None:
        _sweep(chosen, names, parse_widths(bits), energy, settings or [], out, as_json)
        return
    if energy is not None or settings:
        raise UsageError(
            "only a sweep over widths takes these.",
            where="--energy, --set",
            fix="Add --bits 4,6,8 or leave them out.",
        )
    opened = open_run(chosen)
    results = _measure(opened, names)
    content = _about(chosen, opened) | {"targets": results}
    if out is not None:
        from spikeport.core.files import write_json

        write_json(out, content)
    if as_json:
        output.print_json(content)
        return
    _print(chosen, opened, results)


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


def _about(chosen: options.RunChoice, opened: Run) -> dict[str, Any]:
    return {
        "model": chosen.model,
        "data": opened.data.name,
        "provenance": opened.data.provenance,
        "samples": opened.samples,
        "steps": opened.data.frame_shape[0],
    }


def _measure(opened: Run, names: list[str]) -> dict[str, dict[str, Any]]:
    from spikeport.estimate import accuracy
    from spikeport.estimate.paired import paired
    from spikeport.targets import TARGETS

    judged, latency = {}, {}
    for name in names:
        executor = TARGETS[name].executor(opened.graph, opened.calibration)
        judged[name] = accuracy(executor, opened.batches(f"Evaluating on {name}"))
        latency[name] = getattr(executor, "latency", 0)
    first = judged[names[0]]
    found = {}
    for name, result in judged.items():
        pair = paired(first.hits, result.hits)
        found[name] = {
            "accuracy": result.top1,
            "interval": list(result.interval),
            "correct": result.correct,
            "agreement": sum(map(eq, result.predictions, first.predictions)) / result.count,
            "difference": pair.difference,
            "difference_interval": list(pair.interval),
            "mcnemar_p": pair.p_value,
            "latency_steps": latency[name],
        }
    return found


def _print(chosen: options.RunChoice, opened: Run, results: dict[str, dict[str, Any]]) -> None:
    first = next(iter(results))
    rows = [
        [
            name,
            _percent(result["accuracy"]),
            _between(*result["interval"]),
            f"{result['correct']} of {opened.samples}",
            _percent(result["agreement"]),
            "-" if name == first else _signed(result["difference"], *result["difference_interval"]),
            "-" if name == first else f"{result['mcnemar_p']:.2g}",
            f"T + {result['latency_steps']}" if result["latency_steps"] else "T",
        ]
        for name, result in results.items()
    ]
    columns = ["target", "accuracy %", "95 %", "right", "same %"]
    columns += ["difference, points", "p", "steps"]
    title = f"{chosen.model} on {opened.data.name}"
    console = output.console()
    console.print(output.table(title, columns, rows))
    console.print(
        f"\nData: {opened.data.provenance}. same: answers equal to those of {first}. p: "
        "McNemar's exact test of the difference from it."
    )


def _sweep(
    chosen: options.RunChoice,
    names: list[str],
    widths: list[int],
    energy: str | None,
    settings: list[str],
    out: Path | None,
    as_json: bool,
) -> None:
    from spikeport.bits import ENERGY, checked_options, sweep_bits
    from spikeport.cli.runs import open_run, spread, stack
    from spikeport.estimate import energy_model

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
    sweep = sweep_bits(
        opened.graph,
        opened.calibration(),
        opened.batches("Reading samples"),
        widths,
        sample=stack(opened.data, spread(len(opened.data), min(COMPARED_ALONE, opened.samples))),
        energy=model,
        **values,
    )
    if out is not None:
        sweep.save(out)
    if as_json:
        output.print_json(_about(chosen, opened) | sweep.as_json())
        return
    _print_sweep(chosen, opened, sweep)


def _print_sweep(chosen: options.RunChoice, opened: Run, sweep: BitsSweep) -> None:
    rows = [
        [
            "float" if row.bits is None else str(row.bits),
            _percent(row.accuracy),
            _between(row.low, row.high),
            "-"
            if row.bits is None
            else _signed(row.difference, row.difference_low, row.difference_high),
            _percent(row.agreement),
            "-" if row.worst_alone is None else _percent(row.worst_alone),
            f"{100 * row.rate_error:.2f}",
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


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _between(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _signed(difference: float, low: float, high: float) -> str:
    return f"{100 * difference:+.2f} ({100 * low:+.1f} to {100 * high:+.1f})"
