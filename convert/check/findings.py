"""Single facts about a graph on its way to a target."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from spikeport.convert.graph import Node
from spikeport.core.errors import UnsupportedError


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """It cannot be lowered."""
    WARNING = "warning"
    """It can, but the result is worse, or fits the simulation and not the chip."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True)
class Finding:
    """One finding of `check`.

    Attributes:
        node: name of the node in the graph.
        path: module path in the user's model, "" if none.
        why: what was found.
        fix: what to do about it.
    """

    severity: Severity
    node: str
    path: str
    why: str
    fix: str = ""

    @property
    def where(self) -> str:
        """Module path if there is one; it and the node's name where they differ."""
        if not self.path or self.path == self.node:
            return self.node
        return f"{self.path} (node {self.node})"

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.where}:", self.why, self.fix) if part)

    def as_json(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}


class NodeRefused(UnsupportedError):
    """A node that cannot be lowered, as an error.

    Args:
        finding: of severity error.
        more: how many other errors there are.
    """

    def __init__(self, finding: Finding, more: int = 0) -> None:
        others = f" ({more} more: `check` lists them all.)" if more else ""
        super().__init__(finding.why, where=finding.where, fix=finding.fix + others)
        self.finding = finding


def error(node: Node, why: str, fix: str) -> Finding:
    return Finding(Severity.ERROR, node.name, node.path, why, fix)


def note(node: Node, why: str) -> Finding:
    return Finding(Severity.NOTE, node.name, node.path, why)


def raise_errors(findings: list[Finding]) -> None:
    """Do nothing if no finding is an error.

    Raises:
        NodeRefused: the first error, with the number of the others.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not errors:
        return
    raise NodeRefused(errors[0], len(errors) - 1)
