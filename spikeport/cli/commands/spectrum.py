"""`spikeport spectrum`: which spatial and temporal frequencies pass through a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output


@options.spread
def run(
    chosen: options.RunChoice,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for tables, curves and pictures.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap of the intervals.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Measure the frequencies on every edge of a network while it sees data.

    In space: power of the feature maps above half of Nyquist, before and behind each neuron,
    weighting, pooling and module. Along time: the same of the sequences over the T steps.

    Example: spikeport spectrum max_former_digits --data digits --samples 100 -o spectrum
    """
    from spikeport.convert import Interpreter
    from spikeport.estimate.report import DataInfo
    from spikeport.estimate.spectrum import Spectra, SpectrumReport, export, render
    from spikeport.runs import open_run

    opened = open_run(chosen)
    spectra = Spectra(opened.graph)
    executor = Interpreter(opened.graph)
    for frames, _ in opened.batches("Measuring"):
        spectra.run(executor, frames)
    data = DataInfo(chosen.data, chosen.split, opened.data.provenance, opened.shared_out().digest())
    report = SpectrumReport(spectra, data, seed)
    files = export(report, out) if out is not None else []
    if as_json:
        output.print_json(report.as_dict())
        return
    output.console().print(render(report))
    if files:
        output.console().print("\nFiles: " + ", ".join(map(str, files)))
