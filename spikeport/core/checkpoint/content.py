"""What a checkpoint file holds, before anybody looks for weights in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Content:
    """A checkpoint file's content; tensors are memory-mapped where the format allows it.

    Attributes:
        value: dictionaries, lists, tensors, numbers and text.
        container: the file format in words.
        ordered: whether entries stand in the order in which the model names them.
        metadata: text that travels with the tensors (safetensors only).
    """

    value: Any
    container: str
    ordered: bool
    metadata: Mapping[str, str] = field(default_factory=dict)
