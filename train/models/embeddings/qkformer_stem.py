"""First patch embedding of MS-QKFormer for ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embeddings.base import EncodingEmbedding
from spikeport.train.models.embeddings.projection import pooling
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


@EMBEDDINGS.register("qkformer_stem")
class QkFormerStem(EncodingEmbedding):
    """Conv-BN-MaxPool on the image, LIF-Conv-BN-MaxPool, LIF-Conv-BN, and a 1 x 1 shortcut.

    The shortcut has stride 2 and reads the first spikes. A quarter of the height and width.
    """

    stride = 4
    narrowing = 2
    stem_parts = ("proj_conv", "proj_bn", "maxpool")
    lif_path = "proj_lif1"

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        half = dim // 2
        self.proj_conv = nn.Conv2d(in_channels, half, 3, padding=1, bias=False)
        self.proj_bn = nn.BatchNorm2d(half)
        self.maxpool = pooling("max")
        self.proj_lif1 = lif()
        self.proj_conv1 = nn.Conv2d(half, dim, 3, padding=1, bias=False)
        self.proj_bn1 = nn.BatchNorm2d(dim)
        self.maxpool1 = pooling("max")
        self.proj_lif2 = lif()
        self.proj_conv2 = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.proj_bn2 = nn.BatchNorm2d(dim)
        self.rpe_conv = nn.Conv2d(half, dim, 1, stride=2, bias=False)
        self.rpe_bn = nn.BatchNorm2d(dim)

    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        inner = per_step(lambda s: self.maxpool1(self.proj_bn1(self.proj_conv1(s))), spikes)
        main = per_step(lambda s: self.proj_bn2(self.proj_conv2(s)), self.proj_lif2(inner))
        return main + per_step(lambda s: self.rpe_bn(self.rpe_conv(s)), spikes)
