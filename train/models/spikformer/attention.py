"""Spiking self-attention of Spikformer, in the three ways it was published."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.mixers.heads import split_heads
from spikeport.train.models.neuron import lif
from spikeport.train.models.spikformer.layers import SpikingLayers


class TokenAttention(SpikingLayers):
    """CIFAR version: linear layers with bias on `[T, B, N, C]`; ((q k^T) / 8) v."""

    scale = 0.125

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__("linear")
        self.heads = heads
        for name in "qkv":
            self.add(name, dim, dim)
        self.attn_lif = lif(threshold=0.5)
        self.add("proj", dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self._split(self.fire(name, x)) for name in "qkv")
        mixed = ((q @ k.transpose(-2, -1)) * self.scale) @ v
        return self.fire("proj", self.attn_lif(mixed.transpose(2, 3).flatten(3)))

    def _split(self, x: Tensor) -> Tensor:
        """`[T, B, N, C]` -> `[T, B, heads, N, C / heads]`."""
        return x.reshape(*x.shape[:3], self.heads, -1).transpose(2, 3)


class ConvAttention(SpikingLayers):
    """ImageNet version: 1 x 1 convolutions on `[T, B, C, ...]`; (q (k^T v)) / 8."""

    scale = 0.125

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__("conv1d")
        self.heads = heads
        for name in "qkv":
            self.add(name, dim, dim, bias=False)
        self.attn_lif = lif(threshold=0.5)
        self.add("proj", dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.flatten(3)
        q, k, v = (split_heads(self.fire(name, tokens), self.heads) for name in "qkv")
        spikes = self.attn_lif((self.mix(q, k, v) * self.scale).flatten(2, 3))
        return self.fire("proj", spikes).reshape(x.shape)

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Transposed, because the channels come before the tokens here."""
        return (v @ k.transpose(-2, -1)) @ q


class EventAttention(ConvAttention):
    """Event version: ((q k^T) v) / 4.

    The paper names a scale of 1/8 for all; the published event program has 1/4.
    """

    scale = 0.25

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return v @ (k.transpose(-2, -1) @ q)
