"""Entries by op class: a subclass takes the entry of its nearest base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from spikeport.convert.ops import Op
from spikeport.core.registry import Registry

T = TypeVar("T")


class ClassRegistry(Generic[T]):
    """Like `Registry`, keyed by op class and looked up along the class's bases.

    Raises:
        ValueError: a class is registered twice.
    """

    def __init__(self, kind: str) -> None:
        self._entries: Registry[T] = Registry(kind)

    def register(self, cls: type[Op]) -> Callable[[T], T]:
        """Decorator: make the entry answer for `cls` and all classes derived from it."""
        return self._entries.register(_name(cls))

    def find(self, cls: type[Op]) -> T | None:
        """The entry of the class or of its nearest base that has one."""
        for base in cls.__mro__:
            if _name(base) in self._entries:
                return self._entries[_name(base)]
        return None


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
