"""A neuron that learns faster on a CPU than the one of SpikingJelly, with the same gradients."""

from __future__ import annotations

from typing import Any

import torch
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn


class _LifFunction(torch.autograd.Function):
    """All steps of `spikeport.train.models.neuron.lif` in one node of the autograd graph.

    Forward: h[t] = (v[t-1] + x[t]) / 2, s[t] = h[t] >= threshold, v[t] = (1 - s[t]) h[t].
    Backward, with g = 4 sigmoid'(4 (h - threshold)):
    dL/dh[t] = dL/ds[t] g[t] + dL/dh[t+1] (1 - s[t]) / 2 and dL/dx[t] = dL/dh[t] / 2.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: float) -> Tensor:
        membrane, spikes = torch.empty_like(x), torch.empty_like(x)
        torch.mul(x[0], 0.5, out=membrane[0])
        for t in range(x.shape[0]):
            if t > 0:
                kept = torch.addcmul(membrane[t - 1], membrane[t - 1], spikes[t - 1], value=-1)
                torch.mul(kept.add_(x[t]), 0.5, out=membrane[t])
            torch.ge(membrane[t], threshold, out=spikes[t])
        ctx.save_for_backward(membrane, spikes)
        ctx.threshold = threshold
        return spikes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        membrane, spikes = ctx.saved_tensors
        slope = torch.sigmoid((membrane - ctx.threshold).mul_(4.0))
        dx = torch.addcmul(slope, slope, slope, value=-1).mul_(2.0).mul_(gradients[0])
        for t in range(len(dx) - 2, -1, -1):
            dx[t].add_(torch.addcmul(dx[t + 1], dx[t + 1], spikes[t], value=-1), alpha=0.5)
        return dx, None


class FusedLif(nn.Module):
    """Currents `[T, B, ...]` to spikes `[T, B, ...]`, from rest; keeps no state."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        spikes: Tensor = _LifFunction.apply(x, self.threshold)
        return spikes


def fuse_neurons(module: nn.Module) -> None:
    """Replace every neuron inside a Max-Former; its parameters and their names stay."""
    for name, child in module.named_children():
        if isinstance(child, LIFNode):
            setattr(module, name, FusedLif(child.v_threshold))
        else:
            fuse_neurons(child)
