"""The coverage ledger, and what the figures leave out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from spikeport.estimate.coverage import Coverage
from spikeport.report.assets import Assets
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, table


def build(subject: Subject, _: Assets) -> dict[str, Any] | None:
    """Summary, ledger, notes and exclusions."""
    if subject.energy is None:
        return None
    report = subject.energy.report
    columns = (
        Column("node", "Node"),
        Column("path", "Module"),
        Column("kind", "Op"),
        Column("status", "Status"),
        Column("reason", "Why"),
    )
    return {
        "headline": report.headline,
        "complete": all(entry.status != Coverage.UNCOUNTED for entry in report.ledger),
        "summary": dict(Counter(entry.status for entry in report.ledger)),
        "nodes": len(report.ledger),
        "model": report.energy_model.id,
        "includes": report.energy_model.includes,
        "excludes": report.energy_models[0].excludes,
        "uncharged": [name.replace("_", " ") for name in report.uncharged_operations],
        "notes": report.notes,
        "table": table("ledger", "Every node", columns, map(dict, report.ledger)),
    }
