"""Spiking neuron of a differential equation, one Euler step per time step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops.base import Neuron, NeuronState, Shape, op
from spikeport.convert.ops.constants import check_broadcast
from spikeport.core.euler import charged


@op("euler_neuron")
@dataclass(frozen=True, eq=False)
class EulerNeuron(Neuron):
    """h = v + ((leak - v) + gain x) / tau, h = v + gain x without `tau`; fire; v = v_reset.

    Fires on h > v_threshold if `strict`, else on h >= v_threshold. `tau` is in time steps; the
    parameters broadcast to the features. It starts at `leak`, at `v_reset` without `tau`. The
    Euler step of NIR's `LIF` and `IF` (Pedersen et al., Nature Communications 15, 2024). What
    `IF`, `LIF` or `ChannelNeuron` say is not stored as this op.
    """

    tau: Tensor | None
    gain: Tensor
    leak: Tensor
    v_threshold: Tensor
    v_reset: Tensor
    strict: bool

    def __post_init__(self) -> None:
        if self.tau is not None and not bool((self.tau > 0).all()):
            raise ValueError("a time constant is not positive")

    def infer_shape(self, *inputs: Shape) -> Shape:
        for value in self.tensors().values():
            check_broadcast(inputs[0], tuple(value.shape))
        return inputs[0]

    def initial(self, current: Tensor) -> NeuronState:
        start = self.v_reset if self.tau is None else self.leak
        return NeuronState(torch.zeros_like(current) + start.to(current.device))

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        return charged(state.v, current, self.tau, self.gain, self.leak)

    def threshold(self) -> Tensor:
        return self.v_threshold

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        h = self.membrane(state, current)
        fired = h > self.v_threshold if self.strict else h >= self.v_threshold
        return NeuronState(torch.where(fired, self.v_reset, h)), fired.to(h.dtype)
