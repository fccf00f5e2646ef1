"""Named things: a dictionary filled by a decorator that refuses duplicates, and by extensions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from spikeport.core.errors import ExtensionError, UnknownNameError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Maps names to entries of one kind ("model", "energy model", ...).

    Packages add entries by entry points of a group. They are imported when a name is looked up that
    is not built in, or when all names are asked for. What is built in cannot be replaced, and an
    extension that fails takes nothing else with it: `failures` tells it, and so does a look-up.

    Args:
        kind: what the entries are, for messages.
        group: of the entry points; none by default.
        accepts: whether an object can be an entry under a name.

    Raises:
        ValueError: a name is registered twice.
        UnknownNameError: a name is looked up that is not there.
        ExtensionError: a name is looked up whose package failed.
    """

    def __init__(
        self,
        kind: str,
        group: str = "",
        accepts: Callable[[str, Any], bool] = lambda name, entry: True,
    ) -> None:
        self.kind, self.group = kind, group
        self.failures: dict[str, str] = {}
        """Why extensions could not be used, by name of the entry."""
        self.origins: dict[str, str] = {}
        """The package of each entry that an extension added."""
        self._accepts = accepts
        self._entries: dict[str, T] = {}
        self._extended = not group

    def add(self, name: str, entry: T) -> T:
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""
        return lambda entry: self.add(name, entry)

    def __getitem__(self, name: str) -> T:
        if name not in self:
            if name in self.failures:
                raise ExtensionError(
                    f"the package that adds this {self.kind} cannot be used: "
                    f"{self.failures[name]}.",
                    where=repr(name),
                    fix="Repair or remove it; spikeport list shows all extensions.",
                )
            raise UnknownNameError(self.kind, name, self._entries)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._entries:
            self._extend()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._extend()
        return iter(self._entries)

    def __len__(self) -> int:
        self._extend()
        return len(self._entries)

    def _extend(self) -> None:
        if self._extended:
            return
        # First of all, since what is imported may look names up itself.
        self._extended = True
        for point in sorted(entry_points(group=self.group), key=lambda each: each.name):
            package = point.dist.name if point.dist else "unknown package"
            try:
                self._take(point)
                self.origins[point.name] = package
            except Exception as error:
                self.failures[point.name] = f"{package}: {type(error).__name__}: {error}"

    def _take(self, point: EntryPoint) -> None:
        entry = point.load()
        if not self._accepts(point.name, entry):
            raise TypeError(f"{point.value} is no {self.kind} of this name")
        # Its decorator may have registered it already.
        if self._entries.get(point.name) is not entry:
            self.add(point.name, entry)
