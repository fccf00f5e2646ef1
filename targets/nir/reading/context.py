"""The graph that is built, and how the file is to be understood."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Op
from spikeport.convert.storage.schema import ELEMENTS_LIMIT
from spikeport.core.errors import UnsupportedError
from spikeport.core.registry import Registry
from spikeport.targets.nir.mark import Fires
from spikeport.targets.nir.reading.fields import Fields


@dataclass
class Building:
    """A graph in the making.

    Attributes:
        dt: seconds per time step.
        fires: what happens where a membrane meets its threshold exactly.
        domains: what inputs and delays carry, as far as it is known.
        paths: module of the traced model by node.
        image_steps: for how many steps one static image is shown; None for frames.
    """

    graph: Graph
    dt: float
    fires: Fires
    domains: dict[str, Domain]
    paths: dict[str, str]
    image_steps: int | None = None

    @property
    def strict(self) -> bool:
        return self.fires == "above"

    def add(self, name: str, op: Op, *inputs: str) -> Node:
        """Add a node.

        Raises:
            UnsupportedError: the op cannot take inputs of these shapes.
        """
        node = self.graph.add(name, op, inputs, path=self.paths.get(name, ""))
        if math.prod(node.shape) > ELEMENTS_LIMIT:
            raise UnsupportedError(
                f"its output {list(node.shape)} has more elements than any network.",
                where=name,
                fix="Check the file: it may be damaged.",
            )
        return node

    def free(self, name: str) -> str:
        """A name that no node has."""
        while name in self.graph:
            name += "_"
        return name


Primitive = Callable[[Building, Fields, str], None]
"""Adds the ops of a NIR node, the last of them under its name, given the node that it reads."""

PRIMITIVES: Registry[Primitive] = Registry("NIR primitive")
