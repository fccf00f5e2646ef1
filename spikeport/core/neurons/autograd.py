"""All steps of a layer of neurons as one node of the autograd graph."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from spikeport.core.neurons.dynamics import Dynamics


class Engine(Protocol):
    """Computes what `Dynamics` says, without a graph."""

    def forward(
        self, dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: Tensor | None, learning: bool
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Spikes, last membrane and, if `learning`, what `backward` wants of it."""
        ...

    def backward(
        self,
        dynamics: Dynamics,
        x: Tensor,
        v: Tensor | float,
        leak: Tensor | None,
        membrane: Tensor | None,
        dspikes: Tensor | None,
        dlast: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Gradients of `x`, `v` and `leak`."""
        ...


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        v: Tensor | float,
        leak: Tensor | None,
        dynamics: Dynamics,
        engine: Engine,
    ) -> tuple[Tensor, Tensor]:
        spikes, last, membrane = engine.forward(dynamics, x, v, leak, True)
        ctx.save_for_backward(x, None if isinstance(v, float) else v, leak, membrane)
        ctx.start, ctx.dynamics, ctx.engine = v if isinstance(v, float) else None, dynamics, engine
        ctx.set_materialize_grads(False)
        return spikes, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, v, leak, membrane = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (*_differentiable(ctx, x, v, leak, gradients), None, None)
        before = ctx.start if v is None else v
        dx, dv, dleak = ctx.engine.backward(ctx.dynamics, x, before, leak, membrane, *gradients)
        return dx, (None if v is None else dv), dleak, None, None


def _differentiable(
    ctx: Any, x: Tensor, v: Tensor | None, leak: Tensor | None, gradients: tuple[Tensor | None, ...]
) -> list[Tensor | None]:
    """Gradients that can be differentiated again, through the equations themselves."""
    before = torch.full_like(x[0], ctx.start) if v is None else v
    outputs = ctx.dynamics.run(x, before, leak)
    asked = [(out, grad) for out, grad in zip(outputs, gradients, strict=True) if grad is not None]
    given = zip((x, v, leak), ctx.needs_input_grad, strict=False)
    inputs = [value for value, needed in given if needed and value is not None]
    found = iter(
        torch.autograd.grad(
            [out for out, _ in asked],
            inputs,
            [grad for _, grad in asked],
            create_graph=True,
            allow_unused=True,
        )
        if asked
        else [None] * len(inputs)
    )
    return [next(found) if ctx.needs_input_grad[i] else None for i in range(3)]


def run(
    engine: Engine, dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Spikes `[T, ...]` and last membrane `[...]`, with a graph where one is wanted."""
    if learns(x, v, leak):
        spikes, last = _Spikes.apply(x, v, leak, dynamics, engine)
    else:
        spikes, last, _ = engine.forward(dynamics, x, v, leak, False)
    return spikes, last


def learns(*inputs: Tensor | float | None) -> bool:
    """Whether a graph of these inputs is being recorded."""
    return torch.is_grad_enabled() and any(
        isinstance(value, Tensor) and value.requires_grad for value in inputs
    )
