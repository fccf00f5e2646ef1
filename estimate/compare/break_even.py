"""The firing rate at which a layer, or a network, costs as much as the one without spikes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from spikeport.convert.ops import MatMul
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.tally.terms import Term

_BY_EVENT = frozenset(
    {
        Term.EVENTS_IN,
        Term.UNITS_IN,
        Term.SOP,
        Term.SOP_UNITS,
        Term.SOP_EFFECTIVE,
        Term.READS_LEFT,
        Term.READS_RIGHT,
        Term.SPIKES_OUT,
        Term.NEURON_RESET,
    }
)


def break_even_rate(energies: Energies, name: str, dense: Fraction) -> float | None:
    """Events per input element and step at which a layer would cost `dense` pJ per sample.

    More events of the same kind cost in proportion; coincidences of two spikes in the square.
    Above 1: the spiking layer is cheaper at any rate. 0: it is dearer at any. None: it has no
    events, or its cost does not depend on them.
    """
    rate = energies.tally.input_rate(name)
    factor = break_even_factor(energies, [name], dense)
    return None if factor is None or not rate else factor * float(rate)


def break_even_factor(energies: Energies, names: Iterable[str], dense: Fraction) -> float | None:
    """How many times as many events would make these nodes cost `dense` pJ per sample."""
    fixed, linear, square = (part / energies.tally.samples for part in _split(energies, names))
    left = dense - fixed
    if not linear and not square:
        return None
    if left <= 0:
        return 0.0
    if not square:
        return float(left / linear)
    a, b = float(square), float(linear)
    return (math.sqrt(b * b + 4 * a * float(left)) - b) / (2 * a)


def _split(energies: Energies, names: Iterable[str]) -> tuple[Fraction, Fraction, Fraction]:
    """pJ over all samples that does not depend on events, grows with them, or with their square."""
    fixed = linear = square = Fraction(0)
    for name in names:
        node, plan = energies.tally.graph[name], energies.tally.plans[name]
        both = isinstance(node.op, MatMul) and {Term.READS_LEFT, Term.READS_RIGHT} <= plan.terms
        for item in energies.items(name):
            price = item.price(energies.model)
            for term, coefficient in item.counts.items():
                cost = energies.tally.total(name, term) * coefficient * price
                if term not in _BY_EVENT:
                    fixed += cost
                elif both and term is Term.SOP:
                    square += cost
                else:
                    linear += cost
    return fixed, linear, square
