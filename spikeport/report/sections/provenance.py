"""Where the figures come from, and how to have them again."""

from __future__ import annotations

import shlex
from typing import Any

from spikeport.report.assets import Assets
from spikeport.report.gather import Subject
from spikeport.report.tables import Column, Table, table


def build(subject: Subject, _: Assets) -> dict[str, Any]:
    """Facts by file, constants with their sources, commands."""
    facts = _facts(subject)
    columns = (Column("result", "Result"), Column("fact", "Fact"), Column("value", "Value"))
    return {
        "samples": subject.provenance,
        "folders": [(each.kind, str(each.source)) for each in subject.artefacts],
        "facts": table("provenance", "Facts", columns, facts),
        "constants": _constants(subject),
        "commands": _commands(subject),
    }


def _facts(subject: Subject) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def add(result: str, facts: dict[str, Any]) -> None:
        found.extend({"result": result, "fact": n, "value": str(v)} for n, v in facts.items())

    if subject.energy is not None:
        add(subject.energy.kind, dict(subject.energy.report.origin))
    if subject.evaluation is not None:
        content = subject.evaluation.content
        data = {"data": subject.evaluation.data, "samples": content.samples, "steps": content.steps}
        add(subject.evaluation.kind, {**data, **content.origin})
    if subject.widths is not None:
        found_widths = subject.widths.content
        about = {"data": found_widths.data, "energy_model": found_widths.energy_model}
        add(subject.widths.kind, {**about, "graph_sha256": found_widths.graph_sha256 or "-"})
    if subject.spectrum is not None:
        add(subject.spectrum.kind, dict(subject.spectrum.content.origin))
    for target, lowered in subject.lowered.items():
        manifest = lowered.manifest
        facts = {"graph_sha256": manifest.graph_sha256, "lowered from": lowered.float_graph or "-"}
        options = {name: value for name, value in lowered.lowering.options.items()}
        add(f"lowered to {target}", {**facts, **options, **manifest.versions})
    if subject.training is not None:
        info = subject.training.info
        add(subject.training.kind, {"recipe_hash": info.recipe_hash, **info.versions})
    return found


def _constants(subject: Subject) -> Table | None:
    if subject.energy is None:
        return None
    model = subject.energy.report.energy_model
    columns = (
        Column("name", "Constant"),
        Column("value", "Value"),
        Column("unit", "Unit"),
        Column("meaning", "Meaning"),
        Column("status", "Status"),
        Column("verified", "Read in the source"),
        Column("source", "Source"),
    )
    rows = (
        {**dict(each), "name": name, "verified": "yes" if each.verified else "no"}
        for name, each in model.constants.items()
    )
    return table("constants", f"{model.id}: {model.title}", columns, rows)


def _commands(subject: Subject) -> list[str]:
    """As they were given, where the files say; else what checks a file again."""
    commands = []
    if subject.energy is not None and subject.energy.network is not None:
        commands.append(subject.energy.network.command)
    if subject.evaluation is not None:
        commands.append(subject.evaluation.content.origin.get("command", ""))
    commands += [
        shlex.join(["spikeport", "verify", str(each.source)]) for each in subject.lowered.values()
    ]
    return [command for command in commands if command]
