"""Synapses and neurons of slayer on values in Spikeport's layout, `[T, B, *feature]`.

Imports lava-dl: use only after `library.import_slayer()`.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear
from spikeport.core.errors import CheckFailed
from spikeport.targets.lava.limits import CURRENT_SHIFT, DECAY_UNIT, STATE_LIMIT
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.slayer.library import Slayer


class ConvSynapse(nn.Module):
    """`slayer.synapse.Conv`, which reads NCHWT."""

    def __init__(self, slayer: Slayer, op: Conv, scale: float) -> None:
        super().__init__()
        self.plane = len(op.kernel) == 2
        self.synapse: Any = slayer.synapse.Conv(
            op.in_channels,
            op.out_channels,
            _pair(op.kernel, 1),
            stride=_pair(op.stride, 1),
            padding=_pair(op.padding, 0),
            dilation=_pair(op.dilation, 1),
            groups=op.groups,
        )
        _set_weight(self.synapse, op.weight, scale)

    def forward(self, x: Tensor) -> Tensor:
        """`[T, B, C, *space]` to the same with other C and space."""
        x = x if self.plane else x.unsqueeze(-1)
        y: Tensor = self.synapse(x.movedim(0, -1)).movedim(-1, 0)
        return y if self.plane else y.squeeze(-1)


class DenseSynapse(nn.Module):
    """`slayer.synapse.Dense` over the last axis; whatever else there is are positions."""

    def __init__(self, slayer: Slayer, op: Linear, scale: float) -> None:
        super().__init__()
        self.synapse: Any = slayer.synapse.Dense(op.in_features, op.out_features)
        _set_weight(self.synapse, op.weight, scale)

    def forward(self, x: Tensor) -> Tensor:
        """`[T, B, *positions, in]` to `[T, B, *positions, out]`."""
        steps, batch, *positions, features = x.shape
        flat = x.reshape(steps, batch, -1, features).permute(1, 3, 2, 0).unsqueeze(3)
        y: Tensor = self.synapse(flat).squeeze(3).permute(3, 0, 2, 1)
        return y.reshape(steps, batch, *positions, -1)


class CubaNeuron(nn.Module):
    """`slayer.neuron.cuba.Neuron` with the integer neuron's numbers, and its bias as a parameter.

    Args:
        exponent: what it reads is the integer graph's current divided by 2^exponent.
    """

    def __init__(
        self, slayer: Slayer, node: Node, exponent: int, tau_grad: float, scale_grad: float
    ) -> None:
        super().__init__()
        op = cast(LavaLIF, node.op)
        self.where = node.path or node.name
        w_scale = 2 ** max(0, exponent)
        self.gain = 2.0**exponent / w_scale
        self.neuron: Any = slayer.cuba.Neuron(
            threshold=op.vth / w_scale,
            current_decay=1.0,
            voltage_decay=op.dv / DECAY_UNIT,
            tau_grad=tau_grad,
            scale_grad=scale_grad,
            scale=w_scale,
        )
        # Lava fires above the threshold, not at it. Membranes are whole: half a unit is enough,
        # and unlike slayer's hundredth it is not lost in float32 beside a large threshold.
        self.neuron.threshold_eps = 0.5 / self.neuron.s_scale
        bias = op.bias(torch.float32)
        self.bias = None if bias is None else nn.Parameter(bias / self.neuron.s_scale)

    def forward(self, x: Tensor) -> Tensor:
        """Currents `[T, B, *feature]` to spikes of the same shape.

        Raises:
            CheckFailed: a current or membrane is so large that Lava would wrap or saturate, which
                slayer does not.
        """
        current = x * self.gain
        self._check(current, "current", f"from {STATE_LIMIT >> CURRENT_SHIFT} on Lava wraps around")
        if self.bias is not None:
            current = current + self.bias
        _, voltage = self.neuron.dynamics(current.movedim(0, -1).contiguous())
        self._check(voltage, "membrane", "there Lava saturates")
        spikes: Tensor = self.neuron.spike(voltage)
        return spikes.movedim(-1, 0)

    def _check(self, value: Tensor, what: str, consequence: str) -> None:
        peak = float(value.detach().abs().max()) * self.neuron.s_scale if value.numel() else 0.0
        if not peak < STATE_LIMIT:
            raise CheckFailed(
                f"its {what} reaches {peak / 2**CURRENT_SHIFT:.0f}; {consequence}, and slayer "
                "does not.",
                where=self.where,
                fix="Lower the graph again with headroom='static'.",
            )


def _set_weight(synapse: Any, weight: Tensor, scale: float) -> None:
    """Whole-numbered weights times a power of two, `[O, I, *kernel]`."""
    with torch.no_grad():
        synapse.weight.copy_((weight.double() * scale).reshape(synapse.weight.shape))


def _pair(values: tuple[int, ...], missing: int) -> tuple[int, int]:
    """(H, W); (L,) is (L, 1)."""
    return (values[0], values[1] if len(values) == 2 else missing)
