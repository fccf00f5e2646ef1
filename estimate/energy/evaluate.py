"""Energy of a tally under a model: exact sums of counts times constants."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import UnknownNameError
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term

StaticImage = Literal["executed", "hoisted"]
"""Whether layers that see the same static image at each step are charged T times or once."""

_HOISTED = {Term.MAC: Term.MAC_HOISTED, Term.MAC_PADDED: Term.MAC_PADDED_HOISTED}
_IN_UNITS = {Term.EVENTS_IN: Term.UNITS_IN, Term.SOP: Term.SOP_UNITS}


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

    def prices(self, name: str) -> dict[Term, Fraction]:
        """The counts of a node that are charged, and pJ per unit of each."""
        terms = self.tally.plans[name].terms
        prices: dict[Term, Fraction] = {}
        for charge in self.model.charges:
            term = charge.count
            if self.static_image == "hoisted":
                term = _HOISTED.get(term, term)
            units = _IN_UNITS.get(term)
            if self.model.graded_events == "unit_spikes" and units in terms:
                term = units
            if term in terms:
                prices[term] = self.model.price(charge.count)
        return prices

    def total(self, name: str) -> Fraction:
        """pJ of a node over all samples, exact."""
        prices = self.prices(name)
        return sum(
            (self.tally.total(name, term) * price for term, price in prices.items()), Fraction(0)
        )

    def per_sample(self, name: str) -> npt.NDArray[np.float64]:
        """pJ of a node for each sample: `[samples]`."""
        energy = np.zeros(self.tally.samples)
        for term, price in self.prices(name).items():
            energy += self.tally.per_sample(name, term) * float(price)
        return energy

    def per_step(self, name: str) -> list[Fraction]:
        """pJ of a node over all samples for each step, and last what happens once per sample."""
        steps = [Fraction(0)] * ((self.tally.steps or 0) + 1)
        for term, price in self.prices(name).items():
            for step, count in enumerate(self.tally.per_step(name, term)):
                steps[step] += count * price
        return steps

    def uncharged(self) -> tuple[Term, ...]:
        """Operations that happen in this network and that the model does not charge."""
        charged = {charge.count for charge in self.model.charges}
        present = {
            term
            for name, plan in self.tally.plans.items()
            for term in plan.terms
            if term in _OPERATIONS and self.tally.total(name, term)
        }
        return tuple(term for term in Term if term in present - charged)


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
