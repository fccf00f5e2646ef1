"""Spikformer (arXiv 2209.15425), the baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.train.models.base import ZooModel
from spikeport.train.models.embeddings import PatchEmbedding
from spikeport.train.models.spikformer.block import SpikformerBlock
from spikeport.train.models.spikformer.options import SpikformerOptions
from spikeport.train.models.spikformer.patch_splitting import PatchSplitting


class Spikformer(ZooModel):
    """Patch splitting, blocks, mean over tokens, mean over time, linear.

    Names of parameters are those of the published checkpoints, those that are never used included;
    these do not learn.
    """

    options: SpikformerOptions

    def __init__(self, options: SpikformerOptions) -> None:
        super().__init__(options)
        dim = options.dim
        self.patch_embed = PatchSplitting(options.in_channels, dim, options.version)
        if options.version == "event":
            self.pos_embed = nn.Parameter(torch.zeros(1, options.tokens, dim), requires_grad=False)
        self.block = nn.ModuleList(SpikformerBlock(options) for _ in range(options.depth))
        if options.version == "event":
            self.norm = nn.LayerNorm(dim).requires_grad_(False)
        self.head = nn.Linear(dim, options.num_classes)
        if options.stf is not None:
            self.add_stf(options.stf)

    @property
    def encoder(self) -> PatchEmbedding:
        return self.patch_embed

    def decide(self, x: Tensor) -> Tensor:
        x = self._tokens(x)
        for block in self.block:
            x = block(x)
        tokens = 2 if self.options.version == "cifar" else 3
        scores: Tensor = self.head(x.flatten(3).mean(tokens).mean(0))
        return scores

    def _tokens(self, x: Tensor) -> Tensor:
        """The layout of the blocks of each version."""
        if self.options.version == "cifar":
            return x.flatten(3).transpose(2, 3)
        return x.flatten(3) if self.options.version == "event" else x
