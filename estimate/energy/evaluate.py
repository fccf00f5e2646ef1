"""Energy of a tally under a model: exact sums of counts times constants."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import UnknownNameError
from spikeport.estimate.energy.pricing import Item, StaticImage, price_items
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term


class Energies:
    """Energy per node of one tally under one model.

    Args:
        tally: the counts.
        model: what they cost.
        static_image: see `StaticImage`.

    Raises:
        UnknownNameError: `static_image` is neither of the two.
    """

    def __init__(
        self, tally: Tally, model: EnergyModel, static_image: StaticImage = "executed"
    ) -> None:
        if static_image not in get_args(StaticImage):
            raise UnknownNameError(
                "way to charge a static image", static_image, get_args(StaticImage)
            )
        self.tally, self.model, self.static_image = tally, model, static_image
        self._items = {
            node.name: price_items(
                tally.graph, node, tally.plans[node.name].terms, model, static_image
            )
            for node in tally.graph
        }

    def items(self, name: str) -> tuple[Item, ...]:
        """The summands of a node's energy."""
        return self._items[name]

    def units(self, name: str, item: Item) -> Fraction:
        """How many units of a summand there are, over all samples and steps."""
        return sum(
            (
                coefficient * self.tally.total(name, term)
                for term, coefficient in item.counts.items()
            ),
            Fraction(0),
        )

    def charged(self, name: str) -> Fraction:
        """Operations of a node that are charged, over all samples and steps."""
        return sum((self.units(name, item) for item in self.items(name)), Fraction(0))

    def total(self, name: str) -> Fraction:
        """pJ of a node over all samples, exact; without static power."""
        return sum(
            (self.units(name, item) * item.price(self.model) for item in self.items(name)),
            Fraction(0),
        )

    def per_sample(self, name: str) -> npt.NDArray[np.float64]:
        """pJ of a node for each sample: `[samples]`."""
        energy = np.zeros(self.tally.samples)
        for item in self.items(name):
            price = item.price(self.model)
            for term, coefficient in item.counts.items():
                energy += self.tally.sample_counts(name, term) * float(coefficient * price)
        return energy

    def per_step(self, name: str) -> list[Fraction]:
        """pJ of a node over all samples for each step, and last what happens once per sample."""
        steps = [Fraction(0)] * ((self.tally.steps or 0) + 1)
        for item in self.items(name):
            price = item.price(self.model)
            for term, coefficient in item.counts.items():
                for step, count in enumerate(self.tally.per_step(name, term)):
                    steps[step] += count * coefficient * price
        return steps

    def by_constant(self) -> dict[str, Fraction]:
        """How many units of each constant the whole network costs, over all samples."""
        units = dict.fromkeys(self.model.constants, Fraction(0))
        for name, items in self._items.items():
            for item in items:
                for constant, share in item.shares.items():
                    units[constant] += share * self.units(name, item)
        return units

    @property
    def static(self) -> Fraction | None:
        """Static power x latency, pJ per sample; None if the model does not tell both."""
        return self.model.static_picojoule(max(self.tally.steps or 0, 1))

    def uncharged(self) -> tuple[Term, ...]:
        """Operations that happen in this network and that the model does not charge."""
        present = {
            term
            for name, plan in self.tally.plans.items()
            for term in (plan.terms & _OPERATIONS) - self._covered(name)
            if self.tally.total(name, term)
        }
        return tuple(term for term in Term if term in present)

    def _covered(self, name: str) -> frozenset[Term]:
        """What the charges of a node stand for; memory accesses stand for no operation."""
        found: set[Term] = set()
        for item in self.items(name):
            found |= _STANDS_FOR.get(item.quantity, frozenset({item.quantity}))  # type: ignore[arg-type]
        return frozenset(found)

    def notes(self) -> list[str]:
        """What a reader of the result should know beyond the model's own words."""
        large = [name for name, items in self._items.items() if any(i.too_large for i in items)]
        if not large:
            return []
        return [
            f"{len(large)} nodes need a memory larger than the largest of {self.model.id} and are "
            "charged at its price, which is too little"
        ]


_STANDS_FOR: dict[str, frozenset[Term]] = {
    "neuron_updates": frozenset(
        {Term.NEURON_ADD, Term.NEURON_MUL, Term.NEURON_COMPARE, Term.NEURON_RESET}
    ),
    # Dense hardware does every operation, so those of events are among them.
    Term.DENSE.value: frozenset({Term.SOP}),
}

_OPERATIONS = frozenset(
    {
        Term.SOP,
        Term.MAC,
        Term.AND,
        Term.OR,
        Term.BIAS_ADD,
        Term.NORM_ADD,
        Term.NORM_MUL,
        Term.NEURON_ADD,
        Term.NEURON_MUL,
        Term.NEURON_COMPARE,
        Term.NEURON_RESET,
        Term.RESIDUAL_ADD,
        Term.POOL_COMPARE,
        Term.POOL_ADD,
        Term.MULTIPLY,
    }
)
