"""Neuron whose parameters differ between channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spikeport.convert.ops.base import Neuron, NeuronState, Shape, op


@op("channel_neuron")
@dataclass(frozen=True, eq=False)
class ChannelNeuron(Neuron):
    """As `IF`, `LIF` or `ParametricLIF`, with parameters that broadcast to the features.

    With `tau`: h = v + (x - (v - r)) / tau; with `weight`: h = v + (x - (v - r)) sigmoid(weight);
    without `decay_input` x is added as it is; with neither: h = v + x. A neuron of one threshold
    and one time constant is not stored as this op, so that targets know it as what it is.
    """

    tau: Tensor | None
    weight: Tensor | None
    decay_input: bool
    v_threshold: Tensor
    v_reset: float | None

    def __post_init__(self) -> None:
        if self.tau is not None and self.weight is not None:
            raise ValueError("it has two time constants")
        if self.tau is not None and not bool((self.tau > 0).all()):
            raise ValueError("a time constant is not positive")

    def infer_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        for value in self.tensors().values():
            fits = value.ndim <= len(shape)
            if not fits or np.broadcast_shapes(shape, tuple(value.shape)) != shape:
                raise ValueError(f"its parameters {tuple(value.shape)} do not broadcast to {shape}")
        return shape

    def initial(self, current: Tensor) -> NeuronState:
        return NeuronState(torch.full_like(current, self.v_reset or 0.0))

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        v, lost = state.v, state.v - (self.v_reset or 0.0)
        if self.tau is not None:
            if self.decay_input:
                return v + (current - lost) / self.tau
            return v - lost / self.tau + current
        if self.weight is not None:
            leak = self.weight.sigmoid()
            return v + (current - lost) * leak if self.decay_input else v - lost * leak + current
        return v + current

    def threshold(self) -> Tensor:
        return self.v_threshold

    def reset(self) -> float | None:
        return self.v_reset
