"""One op from its stored fields."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from spikeport.convert.ops import OPS, Op
from spikeport.convert.storage.schema import StoredNode, tensor_name

_ANY_TYPE = ConfigDict(arbitrary_types_allowed=True)


def build_op(stored: StoredNode, tensors: dict[str, Tensor]) -> Op:
    """The op of a node.

    Raises:
        ValueError: a field is missing, unknown, or of another type.
    """
    cls = OPS[stored.kind]
    known = {field.name for field in fields(cls)}
    given = stored.attributes.keys() | stored.tensors.keys()
    if given != known:
        unknown, missing = sorted(given - known), sorted(known - given)
        raise ValueError(f"{stored.kind} has no fields {unknown} and needs {missing}")
    hints = _hints(stored.kind)
    values: dict[str, Any] = {
        name: _value(name, hints[name], value) for name, value in stored.attributes.items()
    }
    for name in stored.tensors:
        if not _takes_tensor(hints[name]):
            raise ValueError(f"its field {name!r} is no tensor")
        values[name] = tensors[tensor_name(stored.name, name)]
    return cls(**values)


def _value(name: str, hint: Any, value: Any) -> Any:
    if _takes_tensor(hint):
        if value is None and type(None) in get_args(hint):
            return None
        raise ValueError(f"its field {name!r} must be a tensor")
    try:
        # As JSON: there a list is a tuple and a whole number a float, but text is no number.
        return _adapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ValueError(f"its field {name!r}: {error.errors()[0]['msg']}") from error


def _takes_tensor(hint: Any) -> bool:
    return hint is Tensor or Tensor in get_args(hint)


@cache
def _hints(kind: str) -> MappingProxyType[str, Any]:
    return MappingProxyType(get_type_hints(OPS[kind]))


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=_ANY_TYPE)
