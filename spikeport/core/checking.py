"""What pydantic refuses, in Spikeport's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from spikeport.core.errors import UnknownNameError, UsageError

Model = TypeVar("Model", bound=BaseModel)


def checked_settings(
    model: type[Model], values: Mapping[str, Any], source: str, kind: str = "setting"
) -> Model:
    """Settings from a file as a model of them.

    Args:
        source: where they came from, for messages.
        kind: what a setting is called in messages.

    Raises:
        UnknownNameError: a setting is unknown; tells the near matches.
        UsageError: a value cannot be.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"]
        if first["type"] == "extra_forbidden":
            known = _table(model, place[:-1]).model_fields
            raise UnknownNameError(kind, str(place[-1]), known) from error
        raise UsageError(
            f"{_why(first)}.",
            where=f"{source}, setting {_place(first)}" if place else source,
            fix="Correct the value.",
        ) from error


def checked_options(model: type[Model], values: Mapping[str, Any], kind: str) -> Model:
    """Options given by name as a model of them.

    Args:
        kind: what an option is called in messages.

    Raises:
        UsageError: an option is unknown or out of range.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"{_why(first)}.",
            where=f"{kind} {_place(first) or 'values'}",
            fix=f"Options: {', '.join(model.model_fields)}.",
        ) from error


def problems(error: ValidationError, *, most: int | None = 1, whole: str = "") -> str:
    """What is wrong with the content of a file, `place: why`.

    Args:
        most: how many entries are told; None for all.
        whole: what stands for the place of a problem with the whole of it.
    """
    told = error.errors()[:most]
    return "; ".join(f"{_place(each) or whole}: {each['msg']}" for each in told)


def _place(problem: ErrorDetails) -> str:
    return ".".join(map(str, problem["loc"]))


def _why(problem: ErrorDetails) -> str:
    return problem["msg"].removeprefix("Value error, ")


def _table(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The table of settings at a place within another one."""
    for name in place:
        annotation = model.model_fields[str(name)].annotation
        kinds = [annotation, *get_args(annotation)]
        model = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))
    return model
