"""The event Max-Former (arXiv 2505.18608, configuration for event data)."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.core.errors import UsageError
from spikeport.train.models.block import AttentionBlock, DepthwiseBlock
from spikeport.train.models.embed_max import EmbedMax
from spikeport.train.models.embed_max_plus import EmbedMaxPlus
from spikeport.train.models.neuron import lif, reset_neurons
from spikeport.train.models.options import MaxFormerOptions


class MaxFormer(nn.Module):
    """Frames `[B, T, C, H, W]` -> class scores `[B, num_classes]`.

    Embed-Max+ and a depth-wise block at D / 2 channels, Embed-Max and a self-attention block at D,
    mean over space, LIF, mean over time, linear. Every forward starts from rest and leaves no
    state behind. Parameter names are those of the published checkpoints.

    Raises:
        UsageError: the input is not of the shape that `options` names.
    """

    def __init__(self, options: MaxFormerOptions) -> None:
        super().__init__()
        self.options = options
        first, dim = options.dim // 2, options.dim
        self.patch_embed1 = EmbedMaxPlus(options.in_channels, first)
        self.patch_embed2 = EmbedMax(first, dim)
        self.stage1 = nn.Sequential(DepthwiseBlock(first, int(first * options.mlp_ratio)))
        self.stage2 = nn.Sequential(
            AttentionBlock(dim, options.heads, int(dim * options.mlp_ratio))
        )
        self.head_lif = lif()
        self.head = nn.Linear(dim, options.num_classes)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.options.input_shape

    def forward(self, x: Tensor) -> Tensor:
        self._check_shape(x)
        reset_neurons(self)
        x = x.transpose(0, 1)
        x = self.stage1(self.patch_embed1(x))
        x = self.stage2(self.patch_embed2(x))
        spikes = self.head_lif(x.mean((3, 4)))
        # The state holds the autograd graph of this batch, and would not survive a deep copy.
        reset_neurons(self)
        scores: Tensor = self.head(spikes.mean(0))
        return scores

    def _check_shape(self, x: Tensor) -> None:
        # Sizes of batch and time stay untouched, so that torch.export can leave them symbolic.
        if x.dim() != 5 or tuple(x.shape[2:]) != self.input_shape:
            channels, height, width = self.input_shape
            raise UsageError(
                f"this model reads frames [B, T, {channels}, {height}, {width}], "
                f"but was given {list(x.shape)}.",
                where="input",
                fix="Give frames of that size, or create the model with another in_channels or "
                "image_size.",
            )
