"""How much of its accuracy a network keeps when something is disturbed."""

from spikeport.estimate.robustness.levels import compare_levels
from spikeport.estimate.robustness.rows import Row, Section, row_of
from spikeport.estimate.robustness.time_order import temporal_sensitivity

__all__ = ["Row", "Section", "compare_levels", "row_of", "temporal_sensitivity"]
