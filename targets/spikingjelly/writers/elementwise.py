"""Sums and products."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from spikeport.convert.ops import (
    Add,
    AddConstant,
    AddPerStep,
    Complement,
    MatMul,
    Multiply,
    MultiplyConstant,
    Scale,
    Subtract,
)
from spikeport.targets.spikingjelly.writers.base import Where, Written, parameter, writes


@writes(Add)
def add(op: Add, where: Where) -> Written:
    return torch.add


@writes(Subtract)
def subtract(op: Subtract, where: Where) -> Written:
    return torch.sub


@writes(Multiply)
def multiply(op: Multiply, where: Where) -> Written:
    return torch.mul


@writes(MatMul)
def matmul(op: MatMul, where: Where) -> Written:
    return torch.matmul


@writes(Complement)
def complement(op: Complement, where: Where) -> Written:
    return _complement


@writes(Scale)
def scale(op: Scale, where: Where) -> Written:
    return partial(_scale, factor=op.factor, divisor=op.divisor)


@writes(AddConstant)
def add_constant(op: AddConstant, where: Where) -> Written:
    return Plus(op.value)


@writes(MultiplyConstant)
def multiply_constant(op: MultiplyConstant, where: Where) -> Written:
    return Times(op.value)


@writes(AddPerStep)
def add_per_step(op: AddPerStep, where: Where) -> Written:
    if where.in_loop:
        raise where.refuse(
            "constants that differ between steps stand inside of a feedback loop.",
            "Add them to the whole sequence in front of the loop.",
        )
    return Plus(op.value.unsqueeze(1))


class Plus(nn.Module):
    """x + value, learnt."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = parameter(value)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.value


class Times(nn.Module):
    """x value, learnt."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = parameter(value)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.value


def _complement(x: Tensor) -> Tensor:
    return 1 - x


def _scale(x: Tensor, factor: float, divisor: float) -> Tensor:
    scaled = x if factor == 1.0 else x * factor
    return scaled if divisor == 1.0 else scaled / divisor
