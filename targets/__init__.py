"""Where a graph can be taken to. Importing this imports no target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikeport.core.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Executor, Graph


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        description: one line for lists.
        executor: what runs a graph on many samples as the target would; its second argument gives
            frames `[T, B, *shape]` to choose scales by, and is called only where they are needed.
        missing: tells why the target's native runs cannot be used here, "" if they can. Executors
            need nothing but PyTorch.
    """

    description: str
    executor: Callable[[Graph, Callable[[], Tensor]], Executor]
    missing: Callable[[], str]


def _reference(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.convert import Interpreter

    return Interpreter(graph)


def _lava(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.targets.lava import lower

    return lower(graph, calibration()).executor()


def _lava_missing() -> str:
    from spikeport.targets.lava.shim import lava_missing

    return lava_missing()


TARGETS: Registry[Target] = Registry("target")
TARGETS.add(
    "reference",
    Target("the float network in float32: what the others are compared with", _reference, str),
)
TARGETS.add(
    "lava",
    Target(
        "Lava / Lava-DL fixed point (Loihi 2 arithmetic), simulated bit by bit",
        _lava,
        _lava_missing,
    ),
)

__all__ = ["TARGETS", "Target"]
