"""The network of the same topology without spikes: ReLU for neurons, one pass instead of T."""

from __future__ import annotations

from fractions import Fraction

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, MatMul, MeanTime, SumTime
from spikeport.estimate.energy.pricing import Item, price_items
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.paper.sizes import flops, product_flops
from spikeport.estimate.sizes import connections
from spikeport.estimate.tally.facts import elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.terms import Term

_SAME = (
    Term.RESIDUAL_ADD,
    Term.POOL_ADD,
    Term.POOL_COMPARE,
    Term.MULTIPLY,
    Term.NORM_ADD,
    Term.NORM_MUL,
)


def quantised_bits(steps: int) -> int:
    """ceil(log2(T + 1)): activations of as many levels as T spikes can tell."""
    return max(steps, 1).bit_length()


class DenseNetwork:
    """Counts and energy of one pass over one sample.

    Every connection is a multiply-accumulate; a ReLU costs nothing, as in the papers. Maxima of
    spikes become comparisons, gates become multiplications.

    Args:
        graph: the spiking network.
        plans: how its nodes are counted.
        model: what operations cost.
        bits: width of activations; None: that of the model's membranes. With a width, a product
            with a weight costs one addition per bit (shift and add) if that is cheaper.
    """

    def __init__(
        self,
        graph: Graph,
        plans: dict[str, NodePlan],
        model: EnergyModel,
        bits: int | None = None,
    ) -> None:
        self.model, self.bits = model, bits
        self.counts = {node.name: _counts(graph, node, plans[node.name]) for node in graph}
        width = bits or model.state_bits
        self._items = {
            node.name: price_items(
                graph,
                node,
                frozenset(self.counts[node.name]),
                model,
                "executed",
                activation_bits=width,
            )
            for node in graph
        }

    def energy(self, name: str) -> Fraction:
        """pJ of a node."""
        return sum(
            (self._units(name, item) * self._price(item) for item in self._items[name]),
            Fraction(0),
        )

    def total(self) -> Fraction:
        """pJ of the network."""
        return sum((self.energy(name) for name in self.counts), Fraction(0))

    def by_constant(self) -> dict[str, Fraction]:
        """How many units of each constant the network costs; for activations of full width."""
        units = dict.fromkeys(self.model.constants, Fraction(0))
        for name, items in self._items.items():
            for item in items:
                for constant, share in item.shares.items():
                    units[constant] += share * self._units(name, item)
        return units

    def _units(self, name: str, item: Item) -> Fraction:
        counts = self.counts[name]
        return sum((factor * counts[term] for term, factor in item.counts.items()), Fraction(0))

    def _price(self, item: Item) -> Fraction:
        price, addition = item.price(self.model), self.model.price(Term.SOP)
        if self.bits is None or item.quantity != Term.MAC.value or not addition:
            return price
        return min(price, self.bits * addition)


def _counts(graph: Graph, node: Node, plan: NodePlan) -> dict[Term, int]:
    once = {term: plan.per_step.get(term, 0) or plan.once.get(term, 0) for term in plan.terms}
    if isinstance(node.op, Conv | Linear | MatMul):
        product = isinstance(node.op, MatMul)
        padded = product_flops(graph, node) if product else flops(node)
        found = {Term.MAC: connections(graph, node), Term.MAC_PADDED: padded}
        if once.get(Term.BIAS_ADD):
            found[Term.BIAS_ADD] = elements(node)
        return found
    if isinstance(node.op, MeanTime | SumTime):
        return {}  # one pass has no time to add up
    found = {term: once[term] for term in _SAME if once.get(term)}
    if Term.OR in once:
        found[Term.POOL_COMPARE] = once[Term.OR]
    if Term.AND in once:
        found[Term.MULTIPLY] = once[Term.AND]
    return found
