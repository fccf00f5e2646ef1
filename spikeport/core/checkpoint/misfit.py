"""What does not fit between a checkpoint and a model, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from spikeport.core.errors import FileError

Kind = Literal["missing", "unexpected", "of another shape", "of another kind"]
_KINDS: tuple[Kind, ...] = ("missing", "unexpected", "of another shape", "of another kind")
_NAMED = 3
_LISTED = 20


@dataclass(frozen=True)
class Difference:
    """One entry that does not fit.

    Attributes:
        name: of the entry.
        kind: missing in the file, unexpected in it, or there with another shape or kind of number.
        found: shape and kind of number in the file; None if missing.
        expected: shape and kind of number in the model; None if unexpected.
    """

    name: str
    kind: Kind
    found: tuple[tuple[int, ...], str] | None
    expected: tuple[tuple[int, ...], str] | None

    def __str__(self) -> str:
        found, expected = told(self.found), told(self.expected)
        return f"  {self.name}: {found} in the file, {expected} in the model ({self.kind})"


class MisfitError(FileError):
    """The weights in a file are not those of the model; `differences` lists every entry."""

    def __init__(
        self, why: str, differences: Sequence[Difference], *, where: str, fix: str
    ) -> None:
        super().__init__(why, where=where, fix=fix)
        self.differences = tuple(differences)

    def __str__(self) -> str:
        rows = [str(entry) for entry in self.differences[:_LISTED]]
        if len(self.differences) > _LISTED:
            rows.append(f"  and {len(self.differences) - _LISTED} more (see `differences`)")
        return "\n".join([super().__str__(), *rows])


def number_kind(value: Tensor) -> str:
    """`float`, `complex`, `bool` or `integer`: a cast never leads from one to another."""
    if value.dtype is torch.bool:
        return "bool"
    if value.is_complex():
        return "complex"
    return "float" if value.is_floating_point() else "integer"


def look(value: Tensor) -> tuple[tuple[int, ...], str]:
    """What must agree between an entry of the file and one of the model."""
    return tuple(value.shape), number_kind(value)


def told(entry: tuple[tuple[int, ...], str] | None) -> str:
    """A shape as a user reads it, with the kind of number where that is not the usual one."""
    if entry is None:
        return "nothing"
    shape, kind = entry
    return str(list(shape)) if kind == "float" else f"{kind} {list(shape)}"


def differences(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[Difference, ...]:
    """Every entry that does not fit by name."""
    result = []
    for name, value in expected.items():
        if name not in found:
            result.append(Difference(name, "missing", None, look(value)))
        elif found[name].shape != value.shape:
            result.append(Difference(name, "of another shape", look(found[name]), look(value)))
        elif number_kind(found[name]) != number_kind(value):
            result.append(Difference(name, "of another kind", look(found[name]), look(value)))
    result += [
        Difference(name, "unexpected", look(value), None)
        for name, value in found.items()
        if name not in expected
    ]
    return tuple(result)


def misfit(
    found: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    path: Path,
    position: str,
) -> MisfitError:
    """The error for what does not fit by name.

    Args:
        position: why the entries cannot be matched by position; empty if nobody would.
    """
    listed = differences(found, expected)
    if classes := _classes(listed, expected):
        there, here = classes
        return MisfitError(
            f"this checkpoint tells {there} classes apart, the model {here}.",
            listed,
            where=str(path),
            fix=f"Create the model with num_classes={there}, or use another checkpoint.",
        )
    why = f"these are not the weights of this model ({_summary(listed)})."
    return MisfitError(
        f"{why} Nor do they fit by position: {position}." if position else why,
        listed,
        where=str(path),
        fix="Build the model with the name and options that it had in training.",
    )


def _summary(listed: Sequence[Difference]) -> str:
    parts = []
    for kind in _KINDS:
        of_kind = [entry for entry in listed if entry.kind == kind]
        if not of_kind:
            continue
        named = [
            f"{entry.name} is {told(entry.found)} instead of {told(entry.expected)}"
            if entry.found and entry.expected
            else entry.name
            for entry in of_kind[:_NAMED]
        ]
        more = f" and {len(of_kind) - _NAMED} more" if len(of_kind) > _NAMED else ""
        parts.append(f"{kind}: {', '.join(named)}{more}")
    return "; ".join(parts)


def _classes(
    listed: Sequence[Difference], expected: Mapping[str, Tensor]
) -> tuple[int, int] | None:
    """Class counts of file and model, if only the length of the last linear layer differs."""
    matrices = [name for name, value in expected.items() if value.dim() == 2]
    if not matrices or len({entry.name.rpartition(".")[0] for entry in listed}) != 1:
        return None
    weight = next((entry for entry in listed if entry.name == matrices[-1]), None)
    if weight is None or weight.found is None or weight.expected is None:
        return None
    there, here = weight.found[0], weight.expected[0]
    return (there[0], here[0]) if len(there) == 2 and there[1] == here[1] else None
