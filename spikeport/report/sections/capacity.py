"""What the network needs of chips."""

from __future__ import annotations

from typing import Any

from spikeport.report.artefacts.energy import Capacity
from spikeport.report.assets import Assets
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, table, whole

_LAYER = (
    Column("layer", "Layer"),
    Column("kind", "Op"),
    Column("neurons", "Neurons", whole),
    Column("synapses", "Synapses", whole),
    Column("weights", "Weights", whole),
    Column("fan_in", "Fan-in", whole),
    Column("weight_bytes", "Weight bytes", whole, "at 8 bits"),
    Column("state_bytes", "State bytes", whole),
)


def build(subject: Subject, _: Assets) -> dict[str, Any] | None:
    """One row per chip, and one per layer with its cores."""
    found = None if subject.energy is None else subject.energy.report.capacity
    if found is None:
        return None
    return {
        "chips": _chips(found),
        "overflows": [(chip.id, chip.overflows) for chip in found.chips if chip.overflows],
        "layers": _layers(found),
        "left_out": found.left_out,
    }


def _chips(found: Capacity) -> Table:
    columns = (
        Column("id", "Chip"),
        Column("verdict", "Verdict"),
        Column("cores_at_least", "Cores, at least", whole),
        Column("chips_at_least", "Chips, at least", whole),
        Column("bound_by", "Bound by"),
        Column("unverified", "Limits unverified", whole),
    )
    rows = ({**dict(chip), "unverified": len(chip.unverified_limits)} for chip in found.chips)
    return table("chips", "Chips", columns, rows)


def _layers(found: Capacity) -> Table:
    cores = [
        Column(f"cores[{chip.id}]", f"Cores on {chip.id}", whole, "the layer alone")
        for chip in found.chips
    ]
    rows = ({**row, "layer": row.get("path") or row.get("node")} for row in found.layers)
    return table("capacity", "What each layer needs", (*_LAYER, *cores), rows)
