"""Ops of the integer graph. Importing this package registers them, so stored graphs can be read."""

from spikeport.targets.lava.ops.avg_pool import LavaAvgPool
from spikeport.targets.lava.ops.lif import LavaLIF
from spikeport.targets.lava.ops.mean import LavaMean
from spikeport.targets.lava.ops.shift import LavaShift

__all__ = ["LavaAvgPool", "LavaLIF", "LavaMean", "LavaShift"]
