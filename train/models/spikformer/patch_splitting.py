"""Spiking patch splitting: frames to a stream of spike sums."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embeddings.base import EncodingEmbedding
from spikeport.train.models.neuron import lif
from spikeport.train.models.spikformer.options import POOLS, Version
from spikeport.train.models.steps import per_step


class PatchSplitting(EncodingEmbedding):
    """Four times Conv-BN-LIF, some with max pooling of the spikes, then x + LIF(BN(Conv(x))).

    `[T, B, in_channels, H, W]` -> `[T, B, dim, H', W']`; the last sum counts spikes: 0, 1 or 2.
    """

    lif_path = "proj_lif"

    def __init__(self, in_channels: int, dim: int, version: Version) -> None:
        super().__init__()
        widths = (in_channels, dim // 8, dim // 4, dim // 2, dim)
        # Names as in the published weights: the first has no number.
        self._numbers = ("", "1", "2", "3")
        for index, number in enumerate(self._numbers):
            incoming, outgoing = widths[index : index + 2]
            conv = nn.Conv2d(incoming, outgoing, 3, padding=1, bias=False)
            self.add_module(f"proj_conv{number}", conv)
            self.add_module(f"proj_bn{number}", nn.BatchNorm2d(outgoing))
            self.add_module(f"proj_lif{number}", lif())
            pool = nn.MaxPool2d(3, 2, 1) if POOLS[version][index] else nn.Identity()
            self.add_module(f"maxpool{number}", pool)
        self.rpe_conv = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.rpe_bn = nn.BatchNorm2d(dim)
        self.rpe_lif = lif()

    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        x = per_step(self.get_submodule("maxpool"), spikes)
        for number in self._numbers[1:]:
            spikes = self.get_submodule(f"proj_lif{number}")(self._currents(number, x))
            x = per_step(self.get_submodule(f"maxpool{number}"), spikes)
        position: Tensor = self.rpe_lif(per_step(lambda s: self.rpe_bn(self.rpe_conv(s)), x))
        return x + position

    def _currents(self, number: str, x: Tensor) -> Tensor:
        conv, bn = self.get_submodule(f"proj_conv{number}"), self.get_submodule(f"proj_bn{number}")
        return per_step(lambda s: bn(conv(s)), x)
