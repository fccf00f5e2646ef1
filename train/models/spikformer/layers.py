"""1 x 1 layers with batch norm and neurons, as the three versions of Spikformer write them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step

Layer = Callable[[int, int], nn.Module]


class TokenNorm(nn.BatchNorm1d):
    """Batch norm of the channels of `[N, tokens, C]`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(-1, -2)).transpose(-1, -2)


class SpikingLayers(nn.Module):
    """Base of attention and MLP: named LIF(BN(layer(x))), `[T, B, ...]` both ways.

    Args:
        kind: "linear" for `[T, B, N, C]`, "conv1d" for `[T, B, C, N]`, "conv2d" for
            `[T, B, C, H, W]`.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._suffix = "linear" if kind == "linear" else "conv"
        self._layer, self._norm = {
            "linear": (nn.Linear, TokenNorm),
            "conv1d": (nn.Conv1d, nn.BatchNorm1d),
            "conv2d": (nn.Conv2d, nn.BatchNorm2d),
        }[kind]

    def add(self, name: str, incoming: int, outgoing: int, *, bias: bool = True) -> None:
        """Add the three modules of one layer under the names of the published weights."""
        size = (incoming, outgoing) if self._suffix == "linear" else (incoming, outgoing, 1)
        self.add_module(f"{name}_{self._suffix}", self._layer(*size, bias=bias))
        self.add_module(f"{name}_bn", self._norm(outgoing))
        self.add_module(f"{name}_lif", lif())

    def fire(self, name: str, x: Tensor) -> Tensor:
        """LIF(BN(layer(x)))."""
        layer = self.get_submodule(f"{name}_{self._suffix}")
        bn, neuron = self.get_submodule(f"{name}_bn"), self.get_submodule(f"{name}_lif")
        spikes: Tensor = neuron(per_step(lambda s: bn(layer(s)), x))
        return spikes
