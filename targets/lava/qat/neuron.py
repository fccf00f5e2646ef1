"""Lava's neuron over all time steps with a surrogate gradient."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from spikeport.convert.ops import NeuronState
from spikeport.targets.lava.gradients import exactly
from spikeport.targets.lava.limits import CURRENT_SHIFT, DECAY_UNIT
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.ops.lif import LavaState


class _Spikes(torch.autograd.Function):
    """Forward is `LavaLIF`; backward that of
    u = ku u + 64 a, v = kv v (1 - s) + u + b, ds/dv = slope sigmoid'(slope (v / th - 1)) / th,
    with the reset held constant.
    """

    @staticmethod
    def forward(
        ctx: Any, current: Tensor, bias: Tensor | None, op: LavaLIF, slope: float
    ) -> Tensor:
        state = cast(LavaState, op.initial(current[0]))
        limit, keeps = op.limit(current.dtype), DECAY_UNIT - op.du - 1
        spikes, membranes = torch.empty_like(current), torch.empty_like(current)
        for step, x in enumerate(current):
            v = op.membrane(cast(NeuronState, state), x)
            fired = v > limit
            u = op.charge(state.u, x) if keeps else state.u
            spikes[step], membranes[step] = fired, v
            state = LavaState(u, v.masked_fill(fired, 0))
        ctx.save_for_backward(spikes, membranes)
        ctx.op, ctx.slope, ctx.has_bias = op, slope, bias is not None
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        spikes, membranes = ctx.saved_tensors
        op: LavaLIF = ctx.op
        limit = op.limit(membranes.dtype)
        kept_v = (DECAY_UNIT - op.dv) / DECAY_UNIT
        kept_u = (DECAY_UNIT - op.du - 1) / DECAY_UNIT
        sigmoid = torch.sigmoid(ctx.slope * (membranes / limit - 1))
        surrogate = grads[0] * (ctx.slope * sigmoid * (1 - sigmoid) / limit)
        to_u = torch.empty_like(surrogate)
        to_v, later_u = torch.zeros_like(surrogate[0]), torch.zeros_like(surrogate[0])
        to_bias = torch.zeros_like(surrogate[0])
        for step in reversed(range(len(surrogate))):
            to_v = surrogate[step] + kept_v * (1 - spikes[step]) * to_v
            to_bias += to_v
            later_u = to_v + kept_u * later_u
            to_u[step] = later_u
        to_current = to_u * 2.0**CURRENT_SHIFT
        return to_current, to_bias.sum(0) if ctx.has_bias else None, None, None


def spikes_of(op: LavaLIF, current: Tensor, smooth_bias: Tensor | None, slope: float) -> Tensor:
    """Spikes `[T, B, *feature]` for currents in whole numbers.

    Args:
        op: in the dtype of the currents; its own bias is what is computed with.
        smooth_bias: `[*feature]`, what that bias was rounded from, where gradients go.
        slope: of the surrogate, with the threshold as unit of the membrane.
    """
    bias = None
    if smooth_bias is not None:
        exact = op.bias(current.dtype)
        whole = torch.zeros_like(smooth_bias) if exact is None else exact
        bias = exactly(smooth_bias, whole.expand(smooth_bias.shape))
    return cast(Tensor, _Spikes.apply(current, bias, op, slope))
