"""Capacity for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from spikeport.estimate.capacity.report import CapacityReport
from spikeport.estimate.capacity.result import Fit
from spikeport.estimate.numbers import si

_SHOWN = 3
"""Overflows shown per chip; the files list all."""


def render_capacity(report: CapacityReport) -> RenderableType:
    """One verdict per chip, with what overflows, limits and records."""
    need = report.needs
    weight_bytes = sum(layer.weight_bytes(8) for layer in need.layers)
    lines = [
        Text("Capacity (lower bounds: a placement needs as much or more)"),
        Text(
            f"  {si(need.total('neurons'))} neurons, {si(need.total('synapses'))} synapses, "
            f"{si(need.total('weights'))} weights ({si(weight_bytes)} bytes at 8 bits), "
            f"{si(need.total('state_bytes'))} bytes of state (float32)"
        ),
    ]
    if need.left_out:
        lines.append(
            Text(
                f"  Left out, for chips of neurons and synapses have no counterpart: "
                f"{len(need.left_out)} nodes (products of activations, gates, layers and maxima of "
                "values that are no spikes)"
            )
        )
    table = Table(box=None)
    table.add_column("chip")
    table.add_column("verdict", overflow="fold")
    for fit in report.fits:
        table.add_row(fit.chip.id, escape("\n".join(_told(fit))))
    return Group(*lines, table)


def _told(fit: Fit) -> list[str]:
    shown = [str(each) for each in fit.overflows[:_SHOWN]]
    hidden = len(fit.overflows) - len(shown)
    lines = [fit.verdict, *(f"  {each}" for each in shown)]
    lines += [f"  and {hidden} more"] if hidden else []
    unverified, figures = fit.chip.unverified, fit.chip.figures
    lines.append(f"  limits: {len(unverified)} of {len(figures)} figures unverified")
    if fit.chip.static is not None:
        lines.append(f"  {fit.chip.static.power.describe('static power')}")
    return [*lines, *(f"  {record}" for record in fit.chip.records())]
