"""`--set NAME=VALUE`, and names with commas between them."""

from __future__ import annotations

import tomllib
from typing import Any

from spikeport.core.errors import UsageError


def names_in(text: str) -> list[str]:
    """`a, b` as names."""
    return [name.strip() for name in text.split(",")]


def parse_settings(texts: list[str]) -> dict[str, Any]:
    """`NAME=VALUE` with values as in TOML; a bare word is a string.

    Raises:
        UsageError: one has no name or no value.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"{text!r} is no NAME=VALUE.", where="--set", fix="Write bits=6.")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[name] = value
    return found
