"""Conventions of published energy figures, shown next to the exact count and never instead."""

from spikeport.estimate.paper import max_former
from spikeport.estimate.paper.registry import PAPER_MODES, PaperEstimate, PaperMode

__all__ = ["PAPER_MODES", "PaperEstimate", "PaperMode", "max_former"]
