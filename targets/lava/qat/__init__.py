"""Fine-tuning in fixed point: the integer network's forward, gradients to float weights."""

from spikeport.targets.lava.qat.api import to_qat
from spikeport.targets.lava.qat.module import QatNetwork

__all__ = ["QatNetwork", "to_qat"]
