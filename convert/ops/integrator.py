"""A membrane that does not spike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import NeuronState, Shape, Stateful, op
from spikeport.convert.ops.constants import check_broadcast
from spikeport.core.euler import charged


@op("integrator")
@dataclass(frozen=True, eq=False)
class Integrator(Stateful):
    """y = v + ((leak - v) + gain x) / tau, v = y; y = v + gain x without `tau`.

    `tau` is in time steps; the parameters broadcast to the features. It starts at `leak`, at 0
    without `tau`. The Euler step of NIR's `LI` and `I`, and of the synaptic current of `CubaLIF`
    (Pedersen et al., Nature Communications 15, 2024).
    """

    tau: Tensor | None
    gain: Tensor
    leak: Tensor

    def __post_init__(self) -> None:
        if self.tau is not None and not bool((self.tau > 0).all()):
            raise ValueError("a time constant is not positive")

    def infer_shape(self, *inputs: Shape) -> Shape:
        for value in self.tensors().values():
            check_broadcast(inputs[0], tuple(value.shape))
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return Domain.REAL

    def keeps_whole(self) -> bool:
        return False

    def initial(self, current: Tensor) -> NeuronState:
        v = torch.zeros_like(current)
        return NeuronState(v if self.tau is None else v + self.leak.to(v.device))

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        v = charged(state.v, current, self.tau, self.gain, self.leak)
        return NeuronState(v), v
