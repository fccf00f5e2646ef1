"""What becomes of each node of a graph on a target. Targets bring the rules, this the frame."""

from spikeport.convert.check.findings import (
    Finding,
    NodeRefused,
    Severity,
    error,
    note,
    raise_errors,
)
from spikeport.convert.check.judge import Rewritten, Rules, judge, rewritten
from spikeport.convert.check.report import EXACT, CheckReport, Status, Treatment, Verdict

__all__ = [
    "EXACT",
    "CheckReport",
    "Finding",
    "NodeRefused",
    "Rewritten",
    "Rules",
    "Severity",
    "Status",
    "Treatment",
    "Verdict",
    "error",
    "judge",
    "note",
    "raise_errors",
    "rewritten",
]
