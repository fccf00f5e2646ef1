"""Networks that are compared with the counters of other packages."""

from __future__ import annotations

from spikingjelly.activation_based import layer, neuron
from torch import nn


def plain_net() -> nn.Module:
    """Spikes `[T, B, 2, 16, 16]` to 5 scores per step."""

    def conv(inputs: int, outputs: int, stride: int, groups: int = 1) -> layer.Conv2d:
        return layer.Conv2d(inputs, outputs, 3, stride, 1, groups=groups, bias=False, step_mode="m")

    def spiking() -> neuron.LIFNode:
        return neuron.LIFNode(tau=2.0, v_threshold=0.1, step_mode="m")

    return nn.Sequential(
        *(conv(2, 8, 1), spiking(), conv(8, 8, 2, 8), spiking(), conv(8, 16, 1), spiking()),
        *(layer.MaxPool2d(2, step_mode="m"), layer.Flatten(step_mode="m")),
        layer.Linear(256, 5, step_mode="m"),
    ).eval()


def lively(model: nn.Module) -> nn.Module:
    """Without training deep layers stay silent, and equal zeros would prove nothing."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.constant_(module.weight, 2.0)
            nn.init.constant_(module.bias, 0.7)
    return model.eval()
