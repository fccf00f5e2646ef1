"""What computes a node over all time steps at once, and how it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Op
from spikeport.core.errors import UnsupportedError
from spikeport.targets.reference.setting import Setting


class Extent(NamedTuple):
    """How many time steps and samples a value stands for."""

    steps: int
    batch: int


class Kernel(Protocol):
    """Computes one value.

    Values that exist at each step are `[T * B, *shape]`, those once per sample `[B, *shape]`: what
    is merged stays merged, and no copy is made in between.

    Attributes:
        name: of the implementation, for reports.
        overwrites: ports whose input it can put its result into.
        fresh: whether its result never shares memory with an input that it was not told to
            overwrite.
    """

    @property
    def name(self) -> str: ...
    @property
    def overwrites(self) -> tuple[int, ...]: ...
    @property
    def fresh(self) -> bool: ...

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        """The value.

        Args:
            inputs: by port. An input once per sample beside others at each step is `[B, *shape]`.
            spare: port of an input that nothing reads any more: it may be overwritten.
        """
        ...


@dataclass(frozen=True)
class Place:
    """A node with what the plan knows about it.

    Attributes:
        stepped: whether its value is computed for each step; False where all steps are the same.
        inputs_stepped: the same by port.
    """

    node: Node
    stepped: bool
    inputs_stepped: tuple[bool, ...]

    @property
    def mixed(self) -> bool:
        return len(set(self.inputs_stepped)) > 1


Maker = Callable[[Place, Setting], "Kernel | None"]
_MAKERS: dict[type[Op], list[Maker]] = {}
MakerType = TypeVar("MakerType", bound=Maker)


def implements(*ops: type[Op]) -> Callable[[MakerType], MakerType]:
    """Decorator: a maker of kernels for ops of these classes and of those below them.

    It returns None for what it does not serve. The maker registered last is asked first, those of
    a class before those of its base classes.
    """

    def register(maker: MakerType) -> MakerType:
        for op in ops:
            _MAKERS.setdefault(op, []).insert(0, maker)
        return maker

    return register


def kernel_for(place: Place, setting: Setting) -> Kernel:
    """The fastest implementation of a node that serves it.

    Raises:
        UnsupportedError: there is none.
    """
    for base in type(place.node.op).__mro__:
        for maker in _MAKERS.get(base, ()):
            kernel = maker(place, setting)
            if kernel is not None:
                return kernel
    raise UnsupportedError(
        f"the reference has no rule for {place.node.op.kind}.",
        where=place.node.path or place.node.name,
        fix="Give its op one of the base classes Stateless, Neuron and OverTime.",
    )


def spread(x: Tensor, extent: Extent) -> Tensor:
    """A value once per sample `[B, *shape]` as one for each step `[T, B, *shape]`, without copy."""
    return x.unsqueeze(0).expand(extent.steps, *x.shape)


def by_steps(x: Tensor, extent: Extent) -> Tensor:
    """`[T * B, *shape]` as `[T, B, *shape]`."""
    return x.reshape(*extent, *x.shape[1:])
