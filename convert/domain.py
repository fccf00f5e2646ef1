"""What an edge may carry, proven from where its values come from, never guessed from a batch."""

from __future__ import annotations

from enum import StrEnum


class Domain(StrEnum):
    """The kinds of value on an edge.

    Energy models charge additions for the first three and multiply-accumulates for the last.
    """

    SPIKE = "spike"
    """0 or 1: what a spiking neuron emits, moved, repeated, pooled by maximum or masked."""
    GRADED = "graded"
    """Whole numbers: sums of spikes, products of spikes with spikes, event counts."""
    SCALED = "scaled"
    """A spike or graded tensor times one constant: a time mean, an average pool, x 0.125."""
    REAL = "real"
    """Anything else: images, membrane currents."""

    @property
    def is_whole(self) -> bool:
        return self in (Domain.SPIKE, Domain.GRADED)

    @property
    def is_event(self) -> bool:
        """Whether a non-zero element is an event, so that operations are counted per event."""
        return self is not Domain.REAL


def product(left: Domain, right: Domain) -> Domain:
    """The domain of an element-wise product."""
    if Domain.REAL in (left, right):
        return Domain.REAL
    if left is right is Domain.SPIKE:
        return Domain.SPIKE
    return Domain.GRADED if left.is_whole and right.is_whole else Domain.SCALED


def total(*summands: Domain) -> Domain:
    """The domain of a sum of tensors with different sources.

    Two scaled tensors may carry different constants, so their sum is not proven to be scaled.
    """
    return Domain.GRADED if all(domain.is_whole for domain in summands) else Domain.REAL


def scaled(domain: Domain) -> Domain:
    """The domain after multiplication with one constant."""
    return Domain.SCALED if domain.is_event else Domain.REAL


def summed(domain: Domain) -> Domain:
    """The domain of a sum over an axis of one tensor."""
    return Domain.GRADED if domain.is_whole else domain


def joined(*parts: Domain) -> Domain:
    """The domain of tensors side by side in one.

    Several scaled parts may carry several constants, so they are not proven to be scaled.
    """
    if all(domain is Domain.SPIKE for domain in parts):
        return Domain.SPIKE
    return total(*parts)


def holds(declared: Domain, actual: Domain) -> bool:
    """Whether every value of one domain is one of another."""
    order = (Domain.SPIKE, Domain.GRADED, Domain.SCALED, Domain.REAL)
    return order.index(actual) <= order.index(declared)
