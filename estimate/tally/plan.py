"""What a rule says about one node, before any sample was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.edge import Reduction
from spikeport.estimate.tally.terms import Term


@dataclass(frozen=True)
class Footprint:
    """Bytes that a node occupies: parameters as stored, state and output of one sample."""

    weights: int = 0
    state: int = 0
    activations: int = 0


def add_up(*parts: Tensor) -> Tensor:
    """Sum of `[T, B]` counts; a value per sample (T = 1) is read at every step."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def coincidences(left: Tensor, right: Tensor) -> Tensor:
    """Sum over k and heads of `[T, B, ..., K]` times `[T, B, ..., K]`: `[T, B]`."""
    products = left * right
    return products.flatten(2).sum(2)


@dataclass(frozen=True, eq=False)
class Measure:
    """A count that depends on the data: reduce each source edge, then combine to `[T, B]`."""

    term: Term
    sources: tuple[str, ...]
    reductions: tuple[Reduction, ...]
    combine: Callable[..., Tensor] = add_up

    def __call__(self, parts: list[Tensor]) -> Tensor:
        """int64 `[T, B]` from the reduced sources."""
        return torch.round(self.combine(*parts)).to(torch.int64)


@dataclass(frozen=True, eq=False)
class NodePlan:
    """How one node is counted.

    Attributes:
        status: counted, zero by rule, or UNCOUNTED.
        reason: the rule by which it is zero, or what is missing.
        per_step: counts that hold for every sample at every step.
        once: counts that hold once per sample.
        measures: counts that depend on the data.
        commuted: operations are counted at the event source, before a constant scale.
        notes: what a reader of the count should know.
    """

    status: Coverage
    reason: str = ""
    per_step: Mapping[Term, int] = field(default_factory=dict)
    once: Mapping[Term, int] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    footprint: Footprint = Footprint()
    commuted: bool = False
    notes: tuple[str, ...] = ()

    def fixed(self, term: Term, steps: int) -> int:
        """The part of a count that does not depend on the data, per sample."""
        return self.per_step.get(term, 0) * steps + self.once.get(term, 0)

    @property
    def terms(self) -> frozenset[Term]:
        measured = (measure.term for measure in self.measures)
        return frozenset({*self.per_step, *self.once, *measured})


def zero(rule: str) -> NodePlan:
    """A node that costs nothing, and why."""
    return NodePlan(Coverage.ZERO, reason=rule)
