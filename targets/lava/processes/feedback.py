"""Feedback, and constants of single steps: processes that know where a sample begins."""

from __future__ import annotations

from typing import Any

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.delay import LineModel
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class Gate(Unary):
    """s_out = s_in, but zero at the first step of each sample.

    Options `interval` T and `latency`: the first steps are latency + 1 + n T, counted from one.
    """


@implements(proc=Gate, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class GateModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        return value * 0 if sample_step(self) == 0 else value


class GatedLine(Unary):
    """`Gate` behind a delay line of `steps` >= 1."""


@implements(proc=GatedLine, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class GatedLineModel(LineModel):
    def leaving(self, value: Array) -> Array:
        return value * 0 if sample_step(self) == 0 else value


class StepConstants(Unary):
    """s_out = s_in + `table[t]`, t the time step of the sample; `[T or 1, *shape]`.

    Options `interval` and `latency` as for `Gate`.
    """


@implements(proc=StepConstants, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class StepConstantsModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        table = self.proc_params["table"]
        sum_: Array = value + table[sample_step(self) % len(table)]
        return sum_


def sample_step(model: Any) -> int:
    """The time step of the sample that is at this process now; Lava counts steps from one."""
    step: int = model.time_step - 1 - model.proc_params["latency"]
    return step % int(model.proc_params["interval"])
