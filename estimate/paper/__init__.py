"""Conventions of published energy figures, shown next to the exact count and never instead."""

from spikeport.estimate.paper import max_former, spikformer, spikingformer
from spikeport.estimate.paper.registry import PAPER_MODES, PaperEstimate, PaperMode, paper_mode

__all__ = [
    "PAPER_MODES",
    "PaperEstimate",
    "PaperMode",
    "max_former",
    "paper_mode",
    "spikformer",
    "spikingformer",
]
