"""Membranes of a differential equation as modules, with SpikingJelly's state and step modes."""

from __future__ import annotations

from typing import Any

import torch
from spikingjelly.activation_based import base, surrogate
from torch import Tensor

from spikeport.core.euler import charged

State = tuple[Any, ...]


class IntegratorNode(base.MemoryModule):  # type: ignore[misc]
    """y = v + ((leak - v) + gain x) / tau, v = y; y = v + gain x without `tau`.

    A membrane that does not spike: what `LI` and `I` are in NIR. `[T, B, *feature]` in multi-step
    mode, `[B, *feature]` in single-step mode. It starts at `leak`, at 0 without `tau`.

    Args:
        tau: in time steps; it, `gain` and `leak` broadcast to the features.
    """

    def __init__(
        self, tau: Tensor | None, gain: Tensor, leak: Tensor, step_mode: str = "s"
    ) -> None:
        super().__init__()
        self.step_mode = step_mode
        self.register_memory("v", None)
        _hold(self, tau=tau, gain=gain, leak=leak)

    def start(self) -> Tensor:
        """The membrane at rest, which broadcasts to the features."""
        rest: Tensor = torch.zeros_like(self.gain) if self.tau is None else self.leak
        return rest

    def materialize_states(self, inputs: Any, states: State, step_mode: str) -> State:
        current = inputs[0] if step_mode == "s" else inputs[0][0]
        return tuple(torch.zeros_like(current) + self.start() if v is None else v for v in states)

    def single_step_functional_forward(self, inputs: Any, states: State, **_: Any) -> Any:
        h = charged(states[0], inputs[0], self.tau, self.gain, self.leak)
        return self.emitted(h)

    def emitted(self, h: Tensor) -> tuple[tuple[Tensor], tuple[Tensor]]:
        """What a step gives for its membrane, and the membrane that the next one starts from."""
        return (h,), (h,)


class EulerNode(IntegratorNode):
    """h = v + ((leak - v) + gain x) / tau, h = v + gain x without `tau`; fire; v = v_reset.

    Fires on h > v_threshold if `strict`, else on h >= v_threshold: what `LIF` and `IF` are in NIR.
    It starts at `leak`, at `v_reset` without `tau`.

    Args:
        tau: in time steps; tensors broadcast to the features.
        surrogate_function: whose derivative stands for that of the step.
    """

    def __init__(
        self,
        tau: Tensor | None,
        gain: Tensor,
        leak: Tensor,
        v_threshold: Tensor,
        v_reset: Tensor,
        strict: bool,
        step_mode: str = "s",
        surrogate_function: Any = None,
    ) -> None:
        super().__init__(tau, gain, leak, step_mode)
        self.strict = strict
        self.surrogate_function = surrogate_function or surrogate.Sigmoid()
        _hold(self, v_threshold=v_threshold, v_reset=v_reset)

    def start(self) -> Tensor:
        rest: Tensor = self.v_reset if self.tau is None else self.leak
        return rest

    def emitted(self, h: Tensor) -> tuple[tuple[Tensor], tuple[Tensor]]:
        above = h - self.v_threshold
        # The step fires at 0. Strictly above is the opposite of at or below.
        spikes = (
            1 - self.surrogate_function(-above) if self.strict else self.surrogate_function(above)
        )
        return (spikes,), ((1 - spikes) * h + spikes * self.v_reset,)


def _hold(module: torch.nn.Module, **values: Tensor | None) -> None:
    for name, value in values.items():
        module.register_buffer(name, None if value is None else value.detach().clone())
