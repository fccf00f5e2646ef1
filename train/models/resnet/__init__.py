"""ResNets with membrane shortcuts."""

from spikeport.train.models.resnet.model import MembraneResNet
from spikeport.train.models.resnet.options import ResNetOptions

__all__ = ["MembraneResNet", "ResNetOptions"]
