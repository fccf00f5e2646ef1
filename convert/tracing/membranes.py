"""Modules of Spikeport's own whose membranes SpikingJelly has no class for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from spikeport.convert.ops import EulerNeuron, Integrator
from spikeport.convert.ops.base import Stateful
from spikeport.core.neurons import EulerNode, IntegratorNode


def _read_integrator(module: Any) -> Integrator:
    return Integrator(_copy(module.tau), module.gain.clone(), module.leak.clone())


def _read_euler(module: Any) -> EulerNeuron:
    return EulerNeuron(
        _copy(module.tau),
        module.gain.clone(),
        module.leak.clone(),
        module.v_threshold.clone(),
        module.v_reset.clone(),
        bool(module.strict),
    )


MEMBRANES: dict[type[nn.Module], Callable[[Any], Stateful]] = {
    EulerNode: _read_euler,
    IntegratorNode: _read_integrator,
}
"""Of exactly these classes: a subclass may compute something else."""


def _copy(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.clone()
