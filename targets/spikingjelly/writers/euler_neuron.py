"""Spiking neurons of a differential equation."""

from __future__ import annotations

from torch import nn

from spikeport.convert.ops import EulerNeuron
from spikeport.core.neurons import EulerNode
from spikeport.targets.spikingjelly.writers.base import Where, writes


@writes(EulerNeuron)
def euler_neuron(op: EulerNeuron, where: Where) -> nn.Module:
    return EulerNode(
        op.tau, op.gain, op.leak, op.v_threshold, op.v_reset, op.strict, step_mode=where.mode
    )
