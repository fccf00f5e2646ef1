"""Patch embedding between the stages of MS-QKFormer for ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embeddings.base import PatchEmbedding
from spikeport.train.models.embeddings.projection import pooling
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


@EMBEDDINGS.register("qkformer_later")
class QkFormerLater(PatchEmbedding):
    """The arithmetic of `EmbedOneMaxHalf` under the names of the published MS-QKFormer weights."""

    stride = 2

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.init_lif = lif()
        self.proj3_conv = nn.Conv2d(in_channels, dim, 3, padding=1, bias=False)
        self.proj3_bn = nn.BatchNorm2d(dim)
        self.maxpool3 = pooling("max")
        self.proj3_lif = lif()
        self.proj4_conv = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.proj4_bn = nn.BatchNorm2d(dim)
        self.proj_res_conv = nn.Conv2d(in_channels, dim, 1, stride=2, bias=False)
        self.proj_res_bn = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.init_lif(x)
        inner = per_step(lambda s: self.maxpool3(self.proj3_bn(self.proj3_conv(s))), spikes)
        main = per_step(lambda s: self.proj4_bn(self.proj4_conv(s)), self.proj3_lif(inner))
        return main + per_step(lambda s: self.proj_res_bn(self.proj_res_conv(s)), spikes)
