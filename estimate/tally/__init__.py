"""Exact counts of spikes and operations, taken while any executor runs."""

from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.ledger import Ledger, LedgerEntry
from spikeport.estimate.tally.plan import Footprint, Measure, NodePlan, zero
from spikeport.estimate.tally.rules import RULES, Rule, register_rule
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term

__all__ = [
    "RULES",
    "Facts",
    "Footprint",
    "Ledger",
    "LedgerEntry",
    "Measure",
    "NodePlan",
    "Rule",
    "Tally",
    "Term",
    "register_rule",
    "zero",
]
