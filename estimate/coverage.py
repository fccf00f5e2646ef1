"""Whether a node is in the count.

Apart from the tally, so that reading a stored report imports no torch.
"""

from __future__ import annotations

from enum import StrEnum


class Coverage(StrEnum):
    """Status of a node in the ledger."""

    COUNTED = "counted"
    ZERO = "zero by rule"
    UNCOUNTED = "UNCOUNTED"
