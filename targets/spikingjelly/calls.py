"""Networks whose forward is a list of calls: of their own modules, or of functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from spikeport.core.recurrence import TimeLoop


@dataclass(frozen=True)
class Call:
    """One line of a forward: `result = module or function(*arguments)`.

    Attributes:
        module: path of the module that is called; "" for a function.
    """

    result: str
    arguments: tuple[str, ...]
    module: str = ""
    function: Callable[..., Tensor] | None = None


def frees(calls: Sequence[Call], kept: Sequence[str]) -> list[tuple[str, ...]]:
    """For each call, the values that nothing reads after it."""
    last = {name: index for index, call in enumerate(calls) for name in call.arguments}
    return [
        tuple(
            name for name in dict.fromkeys(call.arguments) if last[name] == i and name not in kept
        )
        for i, call in enumerate(calls)
    ]


def follow(
    module: nn.Module,
    calls: Sequence[Call],
    freed: Sequence[tuple[str, ...]],
    values: dict[str, Tensor],
) -> dict[str, Tensor]:
    """Make the calls, the modules looked up by path, so that a replaced one is used."""
    for call, done in zip(calls, freed, strict=True):
        called = module.get_submodule(call.module) if call.module else call.function
        assert called is not None
        values[call.result] = called(*(values[name] for name in call.arguments))
        for name in done:
            del values[name]
    return values


class GraphNet(nn.Module):
    """A graph as a network; modules sit where they sat in the traced model.

    Frames `[T, B, *shape]`, or images `[B, *shape]`, in; the graph's output out. Neurons keep
    their membranes: call `spikingjelly.activation_based.functional.reset_net` between batches.
    """

    def __init__(self, calls: Sequence[Call], entry: str, output: str) -> None:
        super().__init__()
        self.calls, self._entry, self._output = tuple(calls), entry, output
        self._freed = frees(self.calls, (output,))

    def forward(self, frames: Tensor) -> Tensor:
        return follow(self, self.calls, self._freed, {self._entry: frames})[self._output]


class GraphLoop(TimeLoop):
    """A feedback loop of a graph, one time step after the other.

    Args:
        entry, feedback: names of what a step reads: a value of this step, and of the step before.
        output, returned: names of what it emits, and of what the next step reads.
        shape: of the feedback, without the batch axis.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        entry: str,
        feedback: str,
        output: str,
        returned: str,
        shape: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.calls = tuple(calls)
        self._entry, self._feedback, self._shape = entry, feedback, shape
        self._output, self._returned = output, returned
        self._freed = frees(self.calls, (output, returned))

    def no_feedback(self, current: Tensor) -> Tensor:
        return current.new_zeros((current.shape[0], *self._shape))

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        given = {self._entry: current, self._feedback: feedback}
        values = follow(self, self.calls, self._freed, given)
        return values[self._output], values[self._returned]
