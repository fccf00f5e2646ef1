"""What single samples are answered, and cost, after each step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from spikeport.convert.graph import Graph
from spikeport.convert.ops import OverTime
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.tally.exact import Counts
from spikeport.estimate.tally.tally import Tally


class StepCharge:
    """Energy of single samples up to each step, in float64.

    That of a network that is stopped after t steps: what happens in these steps, and what happens
    once per sample, such as the classifier behind a mean over time.
    """

    def __init__(self, energies: Energies) -> None:
        tally = energies.tally
        column = {key: index for index, key in enumerate(tally.keys)}
        weights = [Fraction(0)] * len(column)
        step = once = Fraction(0)
        for name, plan in tally.plans.items():
            for item in energies.items(name):
                price = item.price(energies.model)
                for term, coefficient in item.counts.items():
                    if (name, term) in column:
                        weights[column[name, term]] += coefficient * price
                    step += plan.per_step.get(term, 0) * coefficient * price
                    once += plan.once.get(term, 0) * coefficient * price
        self._weights = np.array([float(each) for each in weights])
        self._step, self._once = float(step), float(once)

    def up_to(self, by_step: Counts) -> npt.NDArray[np.float64]:
        """pJ `[B, T]` from counts `[T + 1, B, K]`, of which the last are once per sample."""
        # Not by BLAS: the order of its sums, and so their last bit, may depend on its threads.
        spent = np.einsum("tbk,k->tb", by_step, self._weights)
        steps = np.arange(1, len(spent)) * self._step
        total: npt.NDArray[np.float64] = spent[:-1].cumsum(0) + spent[-1] + self._once
        return (total.T + steps).astype(np.float64)


def depends_on_all_steps(tally: Tally) -> tuple[str, ...]:
    """Counted nodes whose count is taken behind a mean over time, so that it is not known for a
    network that is stopped earlier; by module path."""
    late = _behind(tally.graph)
    names = {
        name
        for name, plan in tally.plans.items()
        for measure in plan.measures
        if not late.isdisjoint(measure.sources)
    }
    return tuple(node.path or node.name for node in tally.graph if node.name in names)


def _behind(graph: Graph) -> set[str]:
    found: set[str] = set()
    for node in graph:
        if isinstance(node.op, OverTime) or not found.isdisjoint(node.inputs):
            found.add(node.name)
    return found
