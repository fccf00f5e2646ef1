"""The coverage ledger: every node of a graph, counted, zero by rule, or UNCOUNTED."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.tally import Tally


@dataclass(frozen=True)
class LedgerEntry:
    """What happened to one node."""

    node: str
    path: str
    kind: str
    status: Coverage
    reason: str
    commuted: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """All nodes, in graph order."""

    entries: tuple[LedgerEntry, ...]

    @classmethod
    def of(cls, tally: Tally) -> Ledger:
        plans = ((node, tally.plans[node.name]) for node in tally.graph)
        return cls(
            tuple(
                LedgerEntry(
                    node.name,
                    node.path,
                    node.op.kind,
                    plan.status,
                    plan.reason,
                    plan.commuted,
                    plan.notes,
                )
                for node, plan in plans
            )
        )

    def __iter__(self) -> Iterator[LedgerEntry]:
        return iter(self.entries)

    @property
    def uncounted(self) -> tuple[LedgerEntry, ...]:
        return tuple(entry for entry in self if entry.status is Coverage.UNCOUNTED)

    @property
    def complete(self) -> bool:
        return not self.uncounted

    def summary(self) -> str:
        """One line: how many nodes are counted, zero by rule, UNCOUNTED (named)."""
        found = Counter(entry.status for entry in self)
        parts = [f"{found[status]} {status.value}" for status in Coverage if found[status]]
        line = f"{len(self.entries)} nodes: {', '.join(parts)}"
        names = [f"{entry.path or entry.node} ({entry.kind})" for entry in self.uncounted]
        return f"{line}: {', '.join(names)}" if names else line

    def notes(self) -> list[str]:
        """Each note once, with how many nodes it is about (named if one)."""
        places: dict[str, list[str]] = {}
        for entry in self:
            for note in entry.notes:
                places.setdefault(note, []).append(entry.path or entry.node)
        return [
            f"{where[0] if len(where) == 1 else f'{len(where)} nodes'}: {note}"
            for note, where in places.items()
        ]
