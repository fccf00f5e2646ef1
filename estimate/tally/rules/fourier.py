"""Fourier transforms."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Fourier
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Fourier)
def count_fourier(node: Node, facts: Facts) -> NodePlan:
    """MACs of the sums of cosines and sines, one axis after the other: no weights are 0 or 1.

    The last transform gives the real part alone; each one before it a cosine and a sine sum for
    every element, of which the next one reads both.
    """
    assert isinstance(node.op, Fourier)
    sizes = [node.shape[axis] for axis in node.op.axes]
    # Sums per element and axis: 1 for a single axis; else 2 on the first, 4 between, 2 on the last.
    sums = [1] if len(sizes) == 1 else [2, *[4] * (len(sizes) - 2), 2]
    dense = elements(node) * sum(size * count for size, count in zip(sizes, sums, strict=True))
    macs = {Term.MAC: dense, Term.MAC_PADDED: dense}
    hoisted = {Term.MAC_HOISTED: dense, Term.MAC_PADDED_HOISTED: dense}
    note = "as sums of cosines and sines; a fast transform takes fewer operations"
    return counted(node, macs | hoisted, notes=(note,))
