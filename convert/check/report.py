"""What a check tells about a graph: one verdict per node, none left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from spikeport.convert.check.findings import Finding, Severity


class Status(StrEnum):
    """What becomes of a node on a target."""

    EXACT = "exact"
    """The target computes the same values."""
    REWRITTEN = "rewritten"
    """A pass puts something equal in its place."""
    APPROXIMATE = "approximate"
    """The target computes other values; how far off is measured."""
    UNSUPPORTED = "unsupported"
    """It stands against lowering the graph."""


@dataclass(frozen=True)
class Treatment:
    """How a target treats a node that it can carry.

    Attributes:
        by: the pass or step that rewrites it ("fold-batch-norm"), for `rewritten`.
        how: in one clause, what is computed instead, or how an approximation is measured.
    """

    status: Status
    by: str = ""
    how: str = ""


EXACT = Treatment(Status.EXACT)


@dataclass(frozen=True)
class Verdict:
    """What becomes of one node.

    Attributes:
        node, op, path: its name, the kind of its op, its module in the user's model.
        by, how: as in `Treatment`.
        findings: reasons with advice (severity error) if unsupported; warnings and notes.
    """

    node: str
    op: str
    path: str
    status: Status
    by: str = ""
    how: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def said(self) -> str:
        """The status in words: `rewritten (fold-batch-norm)`."""
        return f"{self.status} ({self.by})" if self.by else str(self.status)

    def as_json(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "op": self.op,
            "path": self.path,
            "status": str(self.status),
            "by": self.by,
            "how": self.how,
            "findings": [
                {"severity": str(finding.severity), "why": finding.why, "fix": finding.fix}
                for finding in self.findings
            ],
        }


@dataclass(frozen=True)
class CheckReport:
    """All verdicts, in graph order.

    Attributes:
        target: the name of the target.
    """

    target: str
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether the graph can be lowered."""
        return all(verdict.status is not Status.UNSUPPORTED for verdict in self.verdicts)

    @property
    def counts(self) -> dict[str, int]:
        """Number of nodes by status, every status named."""
        found = Counter(verdict.status for verdict in self.verdicts)
        return {str(status): found[status] for status in Status}

    @property
    def findings(self) -> list[Finding]:
        """Every finding of every node."""
        return [finding for verdict in self.verdicts for finding in verdict.findings]

    @property
    def errors(self) -> list[Finding]:
        """What stands against lowering."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    def __getitem__(self, node: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.node == node)

    def as_json(self) -> dict[str, Any]:
        """`{target, ok, counts: {status: number}, nodes: [{node, op, path, status, by, how,
        findings: [{severity, why, fix}]}]}`: keys are added, never changed.
        """
        return {
            "target": self.target,
            "ok": self.ok,
            "counts": self.counts,
            "nodes": [verdict.as_json() for verdict in self.verdicts],
        }
