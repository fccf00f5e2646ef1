"""Which neurons take whole sequences and which one time step at a time."""

from __future__ import annotations

from collections.abc import Iterable

from spikingjelly.activation_based.layer import MultiStepContainer
from torch import nn

from spikeport.core.errors import UnsupportedError
from spikeport.core.recurrence import TimeLoop


def loops_of(model: nn.Module) -> dict[str, nn.Module]:
    """Every time loop of a model by module path, SpikingJelly's containers of single steps too.

    Raises:
        UnsupportedError: a loop stands in another one, or its forward is not that of `TimeLoop`.
    """
    loops = {
        path: m for path, m in model.named_modules() if isinstance(m, TimeLoop | MultiStepContainer)
    }
    for path, loop in loops.items():
        own = TimeLoop.forward if isinstance(loop, TimeLoop) else MultiStepContainer.forward
        if type(loop).forward is not own or "forward" in vars(loop):
            raise UnsupportedError(
                "this time loop has a forward of its own, which the tracer would not follow.",
                where=path or type(loop).__name__,
                fix="Define step, and wrap the loop in another module for what comes around it.",
            )
        if any(is_inside(path, [other]) for other in loops if other != path):
            raise UnsupportedError(
                "this time loop stands inside another one.",
                where=path,
                fix="Write both feedbacks into the step of one loop.",
            )
    return loops


def is_inside(path: str, parents: Iterable[str]) -> bool:
    """Whether a module is below one of the others."""
    return any(not parent or path.startswith(f"{parent}.") for parent in parents)


def single_step_neurons(model: nn.Module, neurons: Iterable[str], loops: Iterable[str]) -> set[str]:
    """The neurons outside of time loops that run one time step at each call."""
    modules = dict(model.named_modules())
    return {
        path
        for path in neurons
        if not is_inside(path, loops) and getattr(modules[path], "step_mode", "m") == "s"
    }
