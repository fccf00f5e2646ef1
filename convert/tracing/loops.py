"""Time loops while a model is exported: the body once, its ends marked by opaque ops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from spikeport.core.recurrence import TimeLoop


@torch.library.custom_op("spikeport::loop_enter", mutates_args=())
def _enter(currents: Tensor, path: str) -> Tensor:
    """One step `[B, ...]` of a sequence `[T, B, ...]`."""
    return currents[0].clone()


@_enter.register_fake
def _(currents: Tensor, path: str) -> Tensor:
    return currents.new_empty(currents.shape[1:])


@torch.library.custom_op("spikeport::loop_feedback", mutates_args=())
def _feedback(current: Tensor, shape: Sequence[int], path: str) -> Tensor:
    """What the step before returned, `[B, *shape]`."""
    return current.new_zeros((current.shape[0], *shape))


@_feedback.register_fake
def _(current: Tensor, shape: Sequence[int], path: str) -> Tensor:
    return current.new_empty((current.shape[0], *shape))


@torch.library.custom_op("spikeport::loop_close", mutates_args=())
def _close(output: Tensor, feedback: Tensor, currents: Tensor, path: str) -> Tensor:
    """The outputs of all steps, `[T, B, ...]`; `feedback` goes back to the next step."""
    return output.unsqueeze(0).repeat(currents.shape[0], *[1] * output.ndim)


@_close.register_fake
def _(output: Tensor, feedback: Tensor, currents: Tensor, path: str) -> Tensor:
    return output.new_empty((currents.shape[0], *output.shape))


def body_once(loop: nn.Module, path: str) -> Callable[[Tensor], Tensor]:
    """A forward for a loop that runs its body a single time."""
    if isinstance(loop, TimeLoop):
        return _step_once(loop, path)
    if isinstance(loop, nn.Sequential):
        return _layers_once(loop, path)
    raise TypeError(f"{type(loop).__name__} is no time loop")


def _layers_once(container: nn.Sequential, path: str) -> Callable[[Tensor], Tensor]:
    """For a container that runs its layers at each step: nothing goes back."""

    def forward(currents: Tensor) -> Tensor:
        output: Tensor = torch.ops.spikeport.loop_enter(currents, path)
        for layer in container:
            output = layer(output)
        result: Tensor = torch.ops.spikeport.loop_close(output, output, currents, path)
        return result

    return forward


def _step_once(loop: TimeLoop, path: str) -> Callable[[Tensor], Tensor]:
    """For a loop with feedback: what its step returns goes back to the next one."""

    def forward(currents: Tensor) -> Tensor:
        loop.hold_single_step()
        current: Tensor = torch.ops.spikeport.loop_enter(currents, path)
        # Asked for a batch of known size: it may compute with len(current).
        like = loop.no_feedback(torch.zeros((2, *map(int, current.shape[1:])), dtype=current.dtype))
        shape = list(like.shape[1:])
        feedback: Tensor = torch.ops.spikeport.loop_feedback(current, shape, path)
        output, returned = loop.step(current, feedback)
        result: Tensor = torch.ops.spikeport.loop_close(output, returned, currents, path)
        return result

    return forward
