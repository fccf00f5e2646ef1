"""`spikeport check`: what becomes of each node on a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.settings import names_in

if TYPE_CHECKING:
    from spikeport.convert.check import CheckReport, Finding

ALL = "all"


@options.spread
def run(
    model: options.Model,
    given: options.InputChoice,
    target: Annotated[
        str, typer.Option(help="Targets with commas between them, or all; see spikeport list.")
    ] = ALL,
    checkpoint: options.Checkpoint = None,
    as_json: options.Json = False,
) -> None:
    """Say what becomes of each node of a network on a target, before anything is lowered.

    Each node is exact, rewritten (by which pass), approximate (with how it is measured) or
    unsupported (with the reason and advice). Exit code 1 if a node is unsupported on a target that
    was named, or, for all, on every one of them.

    The JSON is {"graph", "ok", "targets": [{"target", "ok", "counts", "nodes": [{"node", "op",
    "path", "status", "by", "how", "findings": [{"severity", "why", "fix"}]}]}]}.

    Example: spikeport check max_former_digits --target all

    Example: spikeport check net.spg --target lava --json
    """
    from spikeport.cli.sources import graph_or_trace
    from spikeport.targets import TARGETS, check, checked_targets

    names = checked_targets() if target == ALL else names_in(target)
    for name in names:
        TARGETS[name]  # a typing error must not cost a trace
    graph = graph_or_trace(model, checkpoint, given)
    reports = [check(graph, name) for name in names]
    carried = [report.ok for report in reports]
    ok = any(carried) if target == ALL else all(carried)
    if as_json:
        content = [report.as_json() for report in reports]
        output.print_json({"graph": model, "ok": ok, "targets": content})
    else:
        for report in reports:
            _print(model, report)
    if not ok:
        raise typer.Exit(1)


def _print(model: str, report: CheckReport) -> None:
    console = output.console()
    # Many nodes are carried the same way: it is told once, below the table.
    ways = {
        how: n for n, how in enumerate(dict.fromkeys(v.how for v in report.verdicts if v.how), 1)
    }
    rows = [
        [
            verdict.path or verdict.node,
            verdict.op,
            f"{verdict.said} ({ways[verdict.how]})" if verdict.how else verdict.said,
        ]
        for verdict in report.verdicts
    ]
    columns = ["module", "op", "on this target"]
    console.print(output.table(f"{model} on {report.target}", columns, rows))
    for how, number in ways.items():
        console.print(f"  ({number}) {how}")
    counts = ", ".join(f"{number} {status}" for status, number in report.counts.items())
    console.print(f"\n{report.target}: {len(report.verdicts)} nodes: {counts}.")
    for heading, findings in _by_severity(report):
        console.print(f"\n{heading}")
        for why, where in _merged(findings).items():
            console.print(f"  {', '.join(where)}: {why}")
    console.print()


def _by_severity(report: CheckReport) -> list[tuple[str, list[Finding]]]:
    errors = report.errors
    notes = [finding for finding in report.findings if finding not in errors]
    groups = [("Unsupported", errors), ("Worth knowing", notes)]
    return [group for group in groups if group[1]]


def _merged(findings: list[Finding]) -> dict[str, list[str]]:
    """Places by what is told about them, so that a sentence is read once."""
    merged: dict[str, list[str]] = {}
    for finding in findings:
        merged.setdefault(f"{finding.why} {finding.fix}".strip(), []).append(finding.where)
    return merged
