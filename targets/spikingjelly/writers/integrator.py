"""Membranes that do not spike."""

from __future__ import annotations

from torch import nn

from spikeport.convert.ops import Integrator
from spikeport.core.neurons import IntegratorNode
from spikeport.targets.spikingjelly.writers.base import Where, writes


@writes(Integrator)
def integrator(op: Integrator, where: Where) -> nn.Module:
    return IntegratorNode(op.tau, op.gain, op.leak, step_mode=where.mode)
