"""Stages of patch embedding, token mixer and MLP: Max-Former, MS-QKFormer and all in between."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.base import ZooModel
from spikeport.train.models.block import Block
from spikeport.train.models.embeddings import EMBEDDINGS, PatchEmbedding
from spikeport.train.models.neuron import lif
from spikeport.train.models.options import FormerOptions, StagePlan


class SpikingFormer(ZooModel):
    """The stages of `options`, then mean over space, LIF, mean over time, linear.

    Names of parameters are those of the published checkpoints (arXiv 2505.18608).
    """

    options: FormerOptions

    def __init__(self, options: FormerOptions) -> None:
        super().__init__(options)
        plans = options.plan()
        for number, plan in enumerate(plans, start=1):
            embedding = EMBEDDINGS[plan.embedding](plan.in_channels, plan.width)
            self.add_module(f"patch_embed{number}", embedding)
        for number, plan in enumerate(plans, start=1):
            self.add_module(f"stage{number}", _blocks(plan))
        self.head_lif = lif()
        self.head = nn.Linear(plans[-1].width, options.num_classes)
        if options.stf is not None:
            self.add_stf(options.stf)

    @property
    def encoder(self) -> PatchEmbedding:
        embedding = self.get_submodule("patch_embed1")
        assert isinstance(embedding, PatchEmbedding)
        return embedding

    def decide(self, x: Tensor) -> Tensor:
        for number in range(1, len(self.options.stages) + 1):
            if number > 1:
                x = self.get_submodule(f"patch_embed{number}")(x)
            x = self.get_submodule(f"stage{number}")(x)
        spikes = self.head_lif(x.mean((3, 4)))
        if self.options.head == "each_step":
            each: Tensor = self.head(spikes)
            return each.mean(0)
        scores: Tensor = self.head(spikes.mean(0))
        return scores


def _blocks(plan: StagePlan) -> nn.Sequential:
    return nn.Sequential(
        *(Block(plan.mixer, plan.width, plan.heads, plan.hidden) for _ in range(plan.depth))
    )
