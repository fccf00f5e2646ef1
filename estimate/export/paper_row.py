"""The row that a paper prints: parameters, T, synaptic operations, energy, accuracy."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from spikeport.core.files import write_text
from spikeport.estimate.energy.memory import parameters
from spikeport.estimate.numbers import MISSING, percent
from spikeport.estimate.origin import one_line

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

_PER_MILLION, _PER_GIGA, _UJ_PER_MJ = 1e6, 1e9, 1e3
_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {character: f"\\{character}" for character in "&%$#_{}"}


def paper_row(report: EnergyReport, name: str) -> dict[str, str]:
    """Figures by heading; energy with half of its 95 % interval."""
    totals = report.totals
    low, high = totals["energy_uJ_low"], totals["energy_uJ_high"]
    energy = f"{totals['energy_uJ'] / _UJ_PER_MJ:.4g}"
    if low is not None and high is not None:
        energy += f" \u00b1 {(high - low) / 2 / _UJ_PER_MJ:.2g}"
    weights = sum(parameters(node) for node in report.tally.graph)
    sop = totals.get("sop")
    accuracy = report.accuracy
    return {
        "Model": name,
        "Params (M)": f"{weights / _PER_MILLION:.4g}",
        "T": str(report.tally.steps or 1),
        "SOPs (G)": MISSING if sop is None else f"{sop / _PER_GIGA:.4g}",
        "Energy (mJ)": energy,
        "Top-1 (%)": MISSING if accuracy is None else percent(accuracy.top1, 4),
    }


def tex_table(report: EnergyReport, path: str | os.PathLike[str], name: str) -> None:
    """A table for the booktabs package; where its figures come from is a comment.

    Raises:
        FileError: the file cannot be written.
    """
    row = paper_row(report, name)
    lines = [
        f"% {_flat(report.headline)}",
        f"% {_flat(one_line(report.origin))}",
        f"% {_flat(_what(report))}",
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{l{'r' * (len(row) - 1)}}}",
        r"\toprule",
        " & ".join(map(_tex, row)) + r" \\",
        r"\midrule",
        " & ".join(map(_tex, row.values())) + r" \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    write_text(path, "\n".join(lines) + "\n")


def markdown_table(report: EnergyReport, path: str | os.PathLike[str], name: str) -> None:
    """The same for Markdown; where its figures come from is a line below.

    Raises:
        FileError: the file cannot be written.
    """
    row = paper_row(report, name)
    lines = [
        "| " + " | ".join(row) + " |",
        "| " + " | ".join(["---", *["---:"] * (len(row) - 1)]) + " |",
        "| " + " | ".join(_flat(each).replace("|", r"\|") for each in row.values()) + " |",
        "",
        f"{report.headline}. {one_line(report.origin)}. {_what(report)}.",
    ]
    write_text(path, "\n".join(lines) + "\n")


def _what(report: EnergyReport) -> str:
    """What the figures of the row are, where a reader could take them for something else."""
    model = report.model
    unverified = (
        f"unverified constants: {', '.join(model.unverified)}"
        if model.unverified
        else "all constants verified"
    )
    return (
        f"Parameters of the graph, batch norms folded; energy under {model.id}, "
        f"{unverified}; excludes: {'; '.join(model.left_out)}"
    )


def _tex(text: str) -> str:
    escaped = "".join(_TEX.get(character, character) for character in _flat(text))
    return escaped.replace("\u00b1", r"$\pm$")


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
