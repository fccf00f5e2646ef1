"""The summands of a node's energy under a model, before anything is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from spikeport.convert.graph import Graph, Node
from spikeport.estimate.energy.memory import stored_bits
from spikeport.estimate.energy.quantities import QUANTITIES, Coefficients
from spikeport.estimate.energy.schema import Charge, EnergyModel
from spikeport.estimate.tally.terms import Term

StaticImage = Literal["executed", "hoisted"]
"""Whether layers that see the same static image at each step are charged T times or once."""

_HOISTED = {Term.MAC: Term.MAC_HOISTED, Term.MAC_PADDED: Term.MAC_PADDED_HOISTED}
_IN_UNITS = {Term.EVENTS_IN: Term.UNITS_IN, Term.SOP: Term.SOP_UNITS}


@dataclass(frozen=True)
class Item:
    """One summand: counts times constants.

    Attributes:
        quantity: name of what is charged.
        counts: how often each count of the node is in it.
        shares: how much of each constant a unit costs (two where sizes are interpolated).
        too_large: the memory is larger than the largest tabulated one.
    """

    quantity: str
    counts: Coefficients
    shares: Mapping[str, Fraction]
    too_large: bool = False

    def price(self, model: EnergyModel) -> Fraction:
        """pJ per unit."""
        return sum(
            (share * model.constants[name].picojoule for name, share in self.shares.items()),
            Fraction(0),
        )


def price_items(
    graph: Graph,
    node: Node,
    terms: frozenset[Term],
    model: EnergyModel,
    static_image: StaticImage,
    *,
    activation_bits: int | None = None,
) -> tuple[Item, ...]:
    """The summands of a node that has counts of these terms.

    Args:
        graph: where the node is.
        node: what is charged.
        terms: what is counted of it.
        model: the prices.
        static_image: see `StaticImage`.
        activation_bits: width of what layers read and write in a network without spikes.
    """
    found = []
    for charge in model.charges:
        if charge.kinds and node.op.kind not in charge.kinds:
            continue
        counts = QUANTITIES[charge.count].of(node, terms)
        counts = _as_charged(charge, counts, terms, model, static_image)
        if counts:
            found.append(_item(graph, node, charge, counts, model, activation_bits))
    return tuple(found)


def _as_charged(
    charge: Charge,
    counts: Coefficients,
    terms: frozenset[Term],
    model: EnergyModel,
    static_image: StaticImage,
) -> Coefficients:
    """The same counts with images computed once and graded events by size where that is meant."""
    changed: Coefficients = {}
    for term, coefficient in counts.items():
        if static_image == "hoisted":
            term = _HOISTED.get(term, term)
        units = _IN_UNITS.get(term)
        # A count that is itself charged is what the model calls an operation; reads are of events.
        if model.graded_events == "unit_spikes" and charge.count == term.value and units in terms:
            term = units
        if term in terms:
            changed[term] = coefficient * _hops(charge, model)
    return changed


def _hops(charge: Charge, model: EnergyModel) -> Fraction:
    links = getattr(model.routing, charge.hops) if charge.hops else None
    return Fraction(1) if links is None else Fraction(links.value)


def _item(
    graph: Graph,
    node: Node,
    charge: Charge,
    counts: Coefficients,
    model: EnergyModel,
    activation_bits: int | None,
) -> Item:
    store, memory = charge.memory, model.memory
    if store is None or memory is None:
        return Item(charge.count, counts, {charge.constant: Fraction(1)})
    weight_bits, state_bits = model.weight_bits or 0, model.state_bits or 0
    bits = stored_bits(graph, node, store, weight_bits, state_bits, activation_bits)
    # An event is fetched as one word of the width of a weight: what it carries is an address.
    width = {"weights": weight_bits, "potentials": state_bits}.get(
        store, activation_bits or weight_bits
    )
    size = -(-bits // 8)
    return Item(charge.count, counts, memory.weights(size, width), not memory.holds(size))
