"""`spikeport transfer`: gain and phase of a neuron against linear theory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output

if TYPE_CHECKING:
    from spikeport.estimate.spectrum.transfer import Transfer


def run(
    neuron: Annotated[str, typer.Argument(help="lif or if.")] = "lif",
    tau: Annotated[float, typer.Option(help="Time constant in steps.")] = 2.0,
    undecayed: Annotated[
        bool,
        typer.Option("--undecayed", help="The input is not divided by tau (decay_input=False)."),
    ] = False,
    threshold: Annotated[float, typer.Option(help="Of the membrane.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps T that are measured.")] = 256,
    amplitude: Annotated[
        float | None, typer.Option(help="Of the sinusoids; half of the bias by default.")
    ] = None,
    bias: Annotated[
        float | None,
        typer.Option(
            help="Constant current; by default what brings a LIF to its threshold, and makes an "
            "IF fire every other step."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the white noise.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for table and picture.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Measure what frequencies a spiking neuron passes, and compare it with H(z).

    Driven by sinusoids and by white noise: without threshold, where theory is exact, and with
    threshold and hard or soft reset, which theory leaves out.

    Example: spikeport transfer lif --tau 2 -o transfer
    """
    from spikeport.estimate.spectrum.transfer import (
        Drive,
        NeuronChoice,
        as_dict,
        export,
        measure,
    )

    choice = NeuronChoice(neuron, tau, not undecayed, threshold)  # type: ignore[arg-type]
    bias = choice.usual_bias if bias is None else bias
    amplitude = abs(bias) / 2 if amplitude is None else amplitude
    found = measure(choice, Drive(steps, amplitude, bias, seed=seed))
    files = export(found, out) if out is not None else []
    if as_json:
        output.print_json(as_dict(found))
        return
    _print(found)
    if files:
        output.console().print("\nFiles: " + ", ".join(map(str, files)))


def _print(found: Transfer) -> None:
    from spikeport.estimate.spectrum.transfer import summary

    drive, console = found.drive, output.console()
    console.print(
        f"{found.neuron.describe()}; T = {drive.steps}, amplitude {drive.amplitude:g}, "
        f"bias {drive.bias:g}, noise of the same power, seed {drive.seed}."
    )
    columns = ["signal", "gain low", "at pi/2", "at Nyquist", "k", "misses %", "rate", "pure %"]
    rows = [_row(each) for each in summary(found)]
    title = (
        "Gain by frequency (membrane and spikes / input), by white noise where there is a threshold"
    )
    console.print(output.table(title, [*columns, "coherent %"], rows, (*columns[1:], "coherent %")))
    console.print(
        f"Without threshold theory holds: largest relative error of H {found.error:.1e}.\n"
        "k |H| is fitted to the gains; misses: root of the share of squared gain that it leaves.\n"
        "pure: power of the spikes at the frequency that went in; coherent: power of the spikes "
        "that\nfollows linearly from white noise. Both are 100 % of what theory describes."
    )


def _row(each: dict[str, Any]) -> list[str]:
    from spikeport.estimate.numbers import percent, significant

    gains = (each["lowest"], each["quarter"], each["highest"], each.get("k"))
    shares = (percent(each.get(name)) for name in ("purity", "coherence"))
    return [
        each["signal"],
        *map(significant, gains),
        percent(each.get("missed")),
        significant(each.get("rate")),
        *shares,
    ]
