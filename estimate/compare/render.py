"""The comparison for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spikeport.estimate.compare.comparison import PUBLISHED, Comparison
from spikeport.estimate.numbers import MISSING, percent, significant
from spikeport.estimate.units import microjoule

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

_CONSTANTS = 3
_LAYERS = 3
"""Shown; the files have all."""


def render_comparison(report: EnergyReport) -> RenderableType:
    """Three networks, the rates at which they cost the same, and what decides."""
    found, model = report.comparison, report.model
    title = f"Against the same network without spikes, under {model.id}"
    if found is None:
        return Text(f"{title}: not known, it has no price for a multiply-accumulate.")
    table = Table(box=None)
    table.add_column("network")
    for heading in ("energy uJ", "x spiking", "top-1 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    accuracy = MISSING if report.accuracy is None else percent(report.accuracy.top1, 4)
    names = {
        "spiking": f"spiking, T = {report.tally.steps}",
        "dense": "ANN (ReLU), one pass",
        "quantised": f"ANN, {found.bits}-bit activations",
    }
    for which, name in names.items():
        energy = significant(float(microjoule(found.total(which))), 4)
        shown = accuracy if which == "spiking" else MISSING
        table.add_row(name, energy, significant(found.ratio(which)), shown)
    lines = [*_break_even(report, found), *_decides(found)]
    lines.append(f"  Counted as: {'; '.join(found.conventions)}.")
    return Group(Text(title, style="italic"), table, *(Text(line) for line in lines))


def _break_even(report: EnergyReport, found: Comparison) -> list[str]:
    rate = report.totals["firing_rate_in"]
    parts = [
        f"{_at(factor, rate)} against the {'ANN' if bits is None else f'{bits}-bit ANN'}"
        for factor, bits in ((found.factor, None), (found.factor_quantised, found.bits))
        if factor is not None and rate is not None
    ]
    lines = [f"  Break-even: {'; '.join(parts)}; layers.csv has each layer's."] if parts else []
    if found.spikes_per_synapse is not None and rate is not None:
        lines.append(
            f"  Here: mean rate {percent(rate)} %, {significant(found.spikes_per_synapse)} spikes "
            f"per synapse. Published break-even: {'; '.join(PUBLISHED)}."
        )
    dearer = [report.tally.graph[name].path or name for name in found.dearer_layers()]
    if dearer:
        more = f" and {len(dearer) - _LAYERS} more" if len(dearer) > _LAYERS else ""
        lines.append(f"  Dearer than in the ANN: {', '.join(dearer[:_LAYERS])}{more}.")
    return lines


def _at(factor: float, rate: float) -> str:
    if not factor:
        return "dearer at any rate"
    mean = factor * rate
    told = f"mean rate {percent(mean)} %" if mean < 1 else "cheaper at any rate"
    return f"{significant(factor)} x its events ({told})"


def _decides(found: Comparison) -> list[str]:
    parts = []
    for each in found.tornado[:_CONSTANTS]:
        flip = (
            "never flips" if each.flips_at is None else f"flips at x {significant(each.flips_at)}"
        )
        parts.append(
            f"{each.constant} {significant(each.at_half)} to {significant(each.at_double)}, {flip}"
        )
    return [f"  Spiking / ANN with a constant halved to doubled: {'; '.join(parts)}."]
