"""What an energy model can charge: the counts of a tally, and sums of them.

A quantity of a node is a sum of the node's counts with fixed coefficients, so that it is as exact
as they are and needs no second run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear, MatMul, Neuron
from spikeport.core.registry import Registry
from spikeport.estimate.tally.terms import Term

Coefficients = dict[Term, Fraction]
"""How often each count of a node is in a quantity."""


@dataclass(frozen=True)
class Quantity:
    """One thing that can be charged.

    Attributes:
        meaning: one line.
        of: (node, its terms) -> coefficients; empty where the node has none of it.
    """

    meaning: str
    of: Callable[[Node, frozenset[Term]], Coefficients]


QUANTITIES: Registry[Quantity] = Registry("countable quantity")


def _term(term: Term) -> Quantity:
    return Quantity(
        term.value.replace("_", " "),
        lambda node, terms: {term: Fraction(1)} if term in terms else {},
    )


for _each in Term:
    QUANTITIES.add(_each.value, _term(_each))


def _quantity(name: str, meaning: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        QUANTITIES.add(name, Quantity(meaning, rule))
        return rule

    return register


Rule = Callable[[Node, frozenset[Term]], Coefficients]


def _once(terms: frozenset[Term], wanted: Iterable[Term]) -> Coefficients:
    return {term: Fraction(1) for term in wanted if term in terms}


@_quantity("neuron_updates", "neurons times steps")
def neuron_updates(node: Node, terms: frozenset[Term]) -> Coefficients:
    """A neuron compares its membrane with the threshold once per step."""
    return _once(terms, [Term.NEURON_COMPARE]) if isinstance(node.op, Neuron) else {}


@_quantity("weight_reads", "a weight for each operation, a bias for each addition of one")
def weight_reads(node: Node, terms: frozenset[Term]) -> Coefficients:
    """No reuse: each operation fetches its weight."""
    if not isinstance(node.op, Conv | Linear):
        return {}
    return _once(terms, [Term.SOP, Term.MAC, Term.BIAS_ADD])


@_quantity("input_reads", "events, or the operands of each multiply-accumulate")
def input_reads(node: Node, terms: frozenset[Term]) -> Coefficients:
    """An event is fetched once and serves its whole fan-out; a dense layer fetches per MAC.

    A product of activations has no weights: an event fetches what it meets in the other operand,
    and of two spike operands the left one drives.
    """
    if isinstance(node.op, MatMul):
        driver = Term.READS_LEFT if Term.READS_LEFT in terms else Term.READS_RIGHT
        found = _once(terms, [Term.EVENTS_IN, driver])
        return found | ({Term.MAC: Fraction(2)} if Term.MAC in terms else {})
    if isinstance(node.op, Conv | Linear):
        return _once(terms, [Term.EVENTS_IN, Term.MAC])
    return {}


@_quantity("potential_accesses", "a read and a write per synaptic operation and neuron update")
def potential_accesses(node: Node, terms: frozenset[Term]) -> Coefficients:
    """Events arrive in any order, so each operation reads and writes the sum that it adds to."""
    found = neuron_updates(node, terms)
    if isinstance(node.op, Conv | Linear | MatMul):
        found = _once(terms, [Term.SOP])
    return {term: 2 * coefficient for term, coefficient in found.items()}


@_quantity("output_writes", "spikes, and the outputs of dense layers")
def output_writes(node: Node, terms: frozenset[Term]) -> Coefficients:
    """A dense layer sums in a register and writes each output once."""
    if isinstance(node.op, Conv | Linear) and Term.MAC_PADDED in terms:
        # MAC_PADDED is outputs times fan-in.
        return {Term.MAC_PADDED: Fraction(1, node.op.weight[0].numel())}
    return _once(terms, [Term.SPIKES_OUT])
