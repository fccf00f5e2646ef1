"""The price of a memory access by the size of the memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Stateful
from spikeport.estimate.figures import Strict
from spikeport.estimate.tally.facts import elements

Store = Literal["weights", "potentials", "input", "output"]
"""What is accessed; a layer's share of each is a memory of its own."""


class Size(Strict):
    """A tabulated memory: its size and what one access of it costs."""

    bytes: int = Field(gt=0)
    constant: str


class Memory(Strict):
    """Prices of accesses by size.

    Attributes:
        word_bits: an access of b bits costs b / word_bits of the constant; None: the whole of it.
        between: of two tabulated sizes "linear" interpolates, "next" takes the larger. Beyond
            both ends the nearest holds; above the largest that is too little, and is told.
        sizes: ascending; one alone is the price of memories of every size.
    """

    word_bits: int | None = Field(default=None, gt=0)
    between: Literal["linear", "next"]
    sizes: tuple[Size, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(low.bytes >= high.bytes for low, high in pairwise(self.sizes)):
            raise ValueError("the sizes of a memory ascend")
        return self

    def weights(self, size: int, bits: int) -> Mapping[str, Fraction]:
        """Shares of the constants that one access of `bits` bits in `size` bytes costs."""
        part = Fraction(1) if self.word_bits is None else Fraction(bits, self.word_bits)
        if size <= self.sizes[0].bytes:
            return {self.sizes[0].constant: part}
        for low, high in pairwise(self.sizes):
            if size > high.bytes:
                continue
            if self.between == "next":
                return {high.constant: part}
            place = Fraction(size - low.bytes, high.bytes - low.bytes)
            return {low.constant: part * (1 - place), high.constant: part * place}
        return {self.sizes[-1].constant: part}

    def holds(self, size: int) -> bool:
        """Whether a memory of this size is within the table."""
        return len(self.sizes) == 1 or size <= self.sizes[-1].bytes


def stored_bits(
    graph: Graph,
    node: Node,
    store: Store,
    weight_bits: int,
    state_bits: int,
    activation_bits: int | None = None,
) -> int:
    """Bits that a node's share of a store holds for one sample.

    Args:
        graph: where the node is.
        node: the layer.
        store: which of its memories.
        weight_bits: width of weights.
        state_bits: width of membranes, sums and activations that are not spikes.
        activation_bits: width of all activations in a network without spikes; None: spikes are
            one bit and the rest state_bits.
    """
    if store == "weights":
        return weight_bits * parameters(node)
    if store == "potentials":
        tensors = state_tensors(node) if isinstance(node.op, Stateful) else 1
        return state_bits * tensors * elements(node)
    if store == "output":
        return _values(node, state_bits, activation_bits)
    return sum(_values(graph[source], state_bits, activation_bits) for source in node.inputs)


def parameters(node: Node) -> int:
    """Stored numbers: weights and biases."""
    return sum(tensor.numel() for tensor in node.op.tensors().values())


def state_tensors(node: Node) -> int:
    """Numbers that each neuron of a layer keeps between steps."""
    import torch

    if not isinstance(node.op, Stateful):
        return 0
    currents = torch.empty((1, *node.shape), device="meta")
    kept = sum(part.numel() for part in node.op.initial(currents))
    return math.ceil(kept / max(elements(node), 1))


def _values(node: Node, state_bits: int, activation_bits: int | None) -> int:
    spikes = 1 if node.domain is Domain.SPIKE else state_bits
    return elements(node) * (activation_bits or spikes)
