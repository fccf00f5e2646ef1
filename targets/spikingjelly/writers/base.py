"""The registry of writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Node
from spikeport.convert.ops import Op
from spikeport.core.errors import UnsupportedError

Written = nn.Module | Callable[..., Tensor]


@dataclass(frozen=True)
class Where:
    """Where an op stands.

    Attributes:
        leading: axes in front of the features: 2 for `[T, B, ...]`; 1 for `[B, ...]`, in a time
            loop or once per sample.
        in_loop: whether it is one step of a time loop.
        dtype: of parameters.
    """

    node: Node
    shapes: tuple[tuple[int, ...], ...]
    leading: int
    in_loop: bool
    dtype: torch.dtype

    @property
    def mode(self) -> str:
        """SpikingJelly's step mode."""
        return "m" if self.leading == 2 else "s"

    def refuse(self, why: str, fix: str) -> UnsupportedError:
        return UnsupportedError(why, where=self.node.path or self.node.name, fix=fix)


Writer = Callable[[Any, Where], Written]
WRITERS: dict[type[Op], Writer] = {}
WriterType = TypeVar("WriterType", bound=Callable[..., Written])


def writes(op: type[Op]) -> Callable[[WriterType], WriterType]:
    """Decorator: the writer of ops of exactly this class.

    Raises:
        ValueError: it has one already.
    """

    def register(writer: WriterType) -> WriterType:
        if op in WRITERS:
            raise ValueError(f"{op.__name__} has a writer already")
        WRITERS[op] = writer
        return writer

    return register


def write(where: Where) -> Written:
    """What computes a node.

    Raises:
        UnsupportedError: there is no such module or function.
    """
    op = where.node.op
    if type(op) not in WRITERS:
        raise where.refuse(
            f"{op.kind} has no counterpart in SpikingJelly or PyTorch that is known here.",
            "Run the graph as it is: spikeport.Interpreter, or the reference target.",
        )
    return WRITERS[type(op)](op.cast(where.dtype), where)


def parameter(value: Tensor) -> nn.Parameter:
    """A trainable copy."""
    return nn.Parameter(value.detach().clone())
