"""Channel mixer of every block."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


class Mlp(nn.Module):
    """Two 1x1 convolutions on spikes, each with a membrane shortcut. `[T, B, C, H, W]` both ways.

    The shortcut around the first exists only where the hidden width equals C, as in the event
    models; otherwise one shortcut goes around both.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.inner_shortcut = hidden == dim
        self.fc1_lif = lif()
        self.fc1_conv = nn.Conv2d(dim, hidden, 1)
        self.fc1_bn = nn.BatchNorm2d(hidden)
        self.fc2_lif = lif()
        self.fc2_conv = nn.Conv2d(hidden, dim, 1)
        self.fc2_bn = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        hidden = per_step(lambda s: self.fc1_bn(self.fc1_conv(s)), self.fc1_lif(x))
        if self.inner_shortcut:
            hidden = x = x + hidden
        return x + per_step(lambda s: self.fc2_bn(self.fc2_conv(s)), self.fc2_lif(hidden))
