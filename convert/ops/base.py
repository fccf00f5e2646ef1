"""What an op is: a small frozen dataclass whose docstring is its equation.

Ops speak about one time step: shapes leave out the time and batch axes. Most ops are stateless and
act on `[N, *feature]`, N running over batch and, where the value exists at each step, over time.
Only `Stateful` ops, which neurons are, carry state; only `MeanTime`, `SumTime`, `RepeatTime` and
`Delay` cross time steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.core.registry import Registry

Shape = tuple[int, ...]

OPS: Registry[type[Op]] = Registry(
    "op",
    "spikeport.ops",
    lambda name, entry: isinstance(entry, type) and issubclass(entry, Op) and entry.kind == name,
)


@dataclass(frozen=True, eq=False)
class Op:
    """Base of all ops. Tensor fields hold parameters in PyTorch's layout."""

    kind: ClassVar[str] = ""
    arity: ClassVar[int | None] = 1
    """Number of inputs; None for two or more."""

    def infer_shape(self, *inputs: Shape) -> Shape:
        """Shape of one output element set, without time and batch axes.

        Raises:
            ValueError: the inputs do not fit the op.
        """
        raise TypeError(f"{type(self).__name__} has no shape rule")

    def infer_domain(self, *inputs: Domain) -> Domain:
        """Domain of the output, proven from those of the inputs."""
        return Domain.REAL

    def infer_per_step(self, *inputs: bool) -> bool:
        """Whether the output exists at each time step, or once per sample."""
        return any(inputs)

    @property
    def feedback(self) -> str | None:
        """The node whose output of the step before the op shows; None if it reads none."""
        return None

    def keeps_whole(self) -> bool:
        """Whether it maps whole numbers to whole numbers, so that integer tensors can run it."""
        return all(bool((value == value.round()).all()) for value in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """The parameters by field name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if isinstance(value, Tensor)}

    def cast(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> Self:
        """The same op with its parameters in another dtype and on another device."""
        moved: dict[str, Any] = {
            name: value.to(device=device, dtype=dtype) for name, value in self.tensors().items()
        }
        return replace(self, **moved) if moved else self


@dataclass(frozen=True, eq=False)
class Stateless(Op):
    """An op whose output at a step depends on that step's inputs alone."""

    def apply(self, *inputs: Tensor) -> Tensor:
        """Compute `[N, *feature]` tensors from `[N, *feature]` tensors."""
        raise TypeError(f"{type(self).__name__} has no rule to compute it")


class NeuronState(NamedTuple):
    """What a neuron keeps between steps."""

    v: Tensor
    """Membrane, `[B, *feature]`."""


@dataclass(frozen=True, eq=False)
class Stateful(Op):
    """An op that keeps a membrane between steps: one value in and one of the same shape out."""

    def initial(self, current: Tensor) -> NeuronState:
        """State before the first step for currents like `current` (`[B, *feature]`)."""
        raise TypeError(f"{type(self).__name__} has no initial state")

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        """One time step: the new state and the output, `[B, *feature]`."""
        raise TypeError(f"{type(self).__name__} has no rule to compute it")


@dataclass(frozen=True, eq=False)
class Neuron(Stateful):
    """A spiking neuron: a current in, 0/1 of the same shape out, state between steps."""

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return Domain.SPIKE

    def keeps_whole(self) -> bool:
        return False

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        """The membrane h `[B, *feature]` before it is compared with the threshold."""
        raise TypeError(f"{type(self).__name__} has no membrane rule")

    def threshold(self) -> float | Tensor:
        """What the membrane is compared with: a spike on h >= threshold."""
        raise TypeError(f"{type(self).__name__} has no threshold")

    def reset(self) -> float | None:
        """What the membrane is set to after a spike; None subtracts the threshold instead."""
        raise TypeError(f"{type(self).__name__} has no reset")

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        """One time step, charge, fire, reset: the new state and the spikes, `[B, *feature]`."""
        h, threshold, rest = self.membrane(state, current), self.threshold(), self.reset()
        fired = h >= threshold
        spikes = fired.to(h.dtype)
        if not h.is_floating_point():
            threshold = int(threshold)
        # Where none fired nothing is subtracted: 0 times an infinite threshold would be no number.
        v = (
            torch.where(fired, h - spikes * threshold, h)
            if rest is None
            else h.masked_fill(fired, rest)
        )
        return NeuronState(v), spikes


class ScalarNeuron(Neuron):
    """A neuron of one threshold and one reset value for the whole layer.

    Not a dataclass, so that the fields of each neuron stay in the order of its own class.
    """

    v_threshold: float
    v_reset: float | None

    def threshold(self) -> float:
        return self.v_threshold

    def reset(self) -> float | None:
        return self.v_reset

    def initial(self, current: Tensor) -> NeuronState:
        return NeuronState(torch.full_like(current, self.v_reset or 0.0))


OpType = TypeVar("OpType", bound=type[Op])


def op(kind: str) -> Callable[[OpType], OpType]:
    """Class decorator: register an op under the name that it is stored by."""

    def register(cls: OpType) -> OpType:
        cls.kind = kind
        OPS.add(kind, cls)
        return cls

    return register
