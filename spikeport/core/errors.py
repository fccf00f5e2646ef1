"""Errors that tell three things: where, why, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class SpikeportError(Exception):
    """Base of every error that Spikeport raises on purpose.

    Args:
        why: what went wrong, one sentence.
        where: the file, option or module path (as in the user's model) it went wrong at.
        fix: what the user can do about it.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, why: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(why, where, fix)
        self.why, self.where, self.fix = why, where, fix

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; the default would call __init__ with `args` by position.
        return _rebuild, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        parts = (f"{self.where}:" if self.where else "", self.why, self.fix)
        return " ".join(part for part in parts if part)


def _rebuild(cls: type[SpikeportError], args: tuple[str, ...], state: dict[str, object]) -> object:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class UsageError(SpikeportError):
    """An option or argument that cannot be meant."""


class UnknownNameError(UsageError):
    """A name that no registry entry carries; tells the near matches."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        fix = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names)}."
        super().__init__(f"no {kind} has this name.", where=repr(name), fix=fix)
        self.kind, self.name, self.near = kind, name, near


class FileError(SpikeportError):
    """A file that is missing, unreadable, truncated, foreign, unsafe, or cannot be written."""


class UnsupportedError(SpikeportError):
    """A part of a model that cannot be carried; `where` is its module path."""


class MissingPackageError(SpikeportError):
    """An optional package that this job needs is not installed."""


class ExtensionError(SpikeportError):
    """A package that adds something to Spikeport fails or adds what it must not."""


class CheckFailed(SpikeportError):
    """A check ran and found a difference: nothing was wrong with how it was called."""

    exit_code = 1
