"""Values that come in, or are moved within a step or between steps."""

from __future__ import annotations

import numpy as np

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Delay, Input, RepeatTime, Reshape
from spikeport.convert.storage.schema import ELEMENTS_LIMIT
from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.conventions import in_steps
from spikeport.targets.nir.reading.context import PRIMITIVES, Building
from spikeport.targets.nir.reading.fields import Fields


def read_input(building: Building, node: Fields) -> None:
    """The frame of each step, or the image that is shown at all of them."""
    node.only(("shape",))
    shape = tuple(int(size) for size in node.array("shape").reshape(-1))
    if not shape or min(shape) < 1 or np.prod(shape, dtype=float) > ELEMENTS_LIMIT:
        raise node.refuse(f"an input of shape {list(shape)[:16]} is none")
    domain = building.domains.get(node.name, Domain.REAL)
    if building.image_steps is None:
        building.add(node.name, Input(shape, domain, True))
        return
    image = building.add(building.free(f"{node.name}.image"), Input(shape, domain, False))
    building.add(node.name, RepeatTime(building.image_steps), image.name)


@PRIMITIVES.register("Flatten")
def read_flatten(building: Building, node: Fields, source: str) -> None:
    """Merges the axes from `start_dim` to `end_dim`, the batch axis not counted."""
    node.only(("start_dim", "end_dim"))
    shape = building.graph[source].shape
    first, last = (
        axis + len(shape) if axis < 0 else axis
        for axis in (node.size("start_dim", 1, least=-16), node.size("end_dim", -1, least=-16))
    )
    if not 0 <= first <= last < len(shape):
        raise node.refuse(f"it merges axes {first} to {last} of {list(shape)}")
    size = int(np.prod(shape[first : last + 1]))
    building.add(node.name, Reshape((*shape[:first], size, *shape[last + 1 :])), source)


def delay_steps(building: Building, node: Fields) -> int:
    """By how many time steps a delay delays.

    Raises:
        UnsupportedError: not by the same whole number of steps everywhere.
    """
    node.only(("delay",))
    delay = node.array("delay")
    late = np.unique(in_steps(delay, building.dt)) if delay.size else delay
    steps = np.round(late)
    whole = len(late) == 1 and np.allclose(late, steps, rtol=node.rounding("delay"), atol=0)
    if not whole or not 0 <= steps[0] <= 4096:
        told = f"{delay.min():g} to {delay.max():g} s" if len(late) > 1 else f"{delay.flat[0]:g} s"
        raise UnsupportedError(
            f"it delays by {told}, which is no whole number of steps of {building.dt:g} s, the same"
            " for all.",
            where=node.name,
            fix="Read it with a dt that divides its delays, and split what is delayed differently.",
        )
    return int(steps[0])


def add_delays(building: Building, name: str, source: str, like: Node, steps: int) -> None:
    """Delays by one step each, the last of them under `name`; `like` tells shape and domain.

    `source` may be a node that is added later.
    """
    for step in range(steps - 1, 0, -1):
        before = building.free(f"{name}.{step}")
        building.add(before, Delay(source, like.shape, like.domain))
        source = before
    building.add(name, Delay(source, like.shape, like.domain))
