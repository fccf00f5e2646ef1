"""Layers with weights, and pooling."""

from __future__ import annotations

import torch
from spikingjelly.activation_based import layer
from torch import Tensor, nn

from spikeport.convert.ops import AdaptiveAvgPool, AvgPool, BatchNorm, Conv, Linear, MaxPool
from spikeport.targets.spikingjelly.writers.base import Where, parameter, writes


@writes(Conv)
def conv(op: Conv, where: Where) -> nn.Module:
    make = layer.Conv1d if len(op.kernel) == 1 else layer.Conv2d
    with torch.device("meta"):  # draws no random weights
        module: nn.Module = make(
            op.in_channels,
            op.out_channels,
            op.kernel,
            op.stride,
            op.padding,
            op.dilation,
            op.groups,
            bias=op.bias is not None,
            step_mode=where.mode,
        )
    return _filled(module, weight=op.weight, bias=op.bias)


@writes(Linear)
def linear(op: Linear, where: Where) -> nn.Module:
    module = nn.Linear(op.in_features, op.out_features, op.bias is not None, device="meta")
    return _filled(module, weight=op.weight, bias=op.bias)


@writes(BatchNorm)
def batch_norm(op: BatchNorm, where: Where) -> nn.Module:
    axes = len(where.node.shape)
    if axes > 3:
        raise where.refuse(
            f"a batch norm over features {list(where.node.shape)} has no layer.",
            "Fold batch norms before: spikeport.fold_batch_norm(graph).",
        )
    make = layer.BatchNorm2d if axes == 3 else layer.BatchNorm1d
    module: nn.Module = make(len(op.mean), eps=op.eps, step_mode=where.mode)
    gain = torch.ones_like(op.mean) if op.gain is None else op.gain
    offset = torch.zeros_like(op.mean) if op.offset is None else op.offset
    _filled(module, weight=gain, bias=offset)
    module.running_mean, module.running_var = op.mean.clone(), op.var.clone()
    return module


@writes(MaxPool)
def max_pool(op: MaxPool, where: Where) -> nn.Module:
    make = layer.MaxPool1d if len(op.kernel) == 1 else layer.MaxPool2d
    module: nn.Module = make(op.kernel, op.stride, op.padding, step_mode=where.mode)
    return module


@writes(AvgPool)
def avg_pool(op: AvgPool, where: Where) -> nn.Module:
    make = layer.AvgPool1d if len(op.kernel) == 1 else layer.AvgPool2d
    module: nn.Module = make(
        op.kernel,
        op.stride,
        op.padding,
        count_include_pad=op.count_padding,
        step_mode=where.mode,
    )
    return module


@writes(AdaptiveAvgPool)
def adaptive_avg_pool(op: AdaptiveAvgPool, where: Where) -> nn.Module:
    make = layer.AdaptiveAvgPool1d if len(op.output) == 1 else layer.AdaptiveAvgPool2d
    module: nn.Module = make(
        op.output[0] if len(op.output) == 1 else op.output, step_mode=where.mode
    )
    return module


def _filled(module: nn.Module, **values: Tensor | None) -> nn.Module:
    for name, value in values.items():
        if value is not None:
            setattr(module, name, parameter(value))
    return module
