"""Results beside each other: models, time steps, widths of weights or targets as rows.

from spikeport.comparison import compare
compare(["former", "resnet"]).save("compared")
"""

from spikeport.comparison.publications import Published, published
from spikeport.comparison.result import Comparison, compare
from spikeport.comparison.rows import Row

__all__ = ["Comparison", "Published", "Row", "compare", "published"]
