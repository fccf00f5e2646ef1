"""Settings in YAML files, which may come from anybody."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from operator import itemgetter
from typing import Any

import yaml

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

LARGEST = 1 << 20
"""Bytes. No settings come near; a file that was given by mistake may."""


class _Loader(yaml.SafeLoader):
    """Refuses what YAML allows and no settings mean: keys that come twice, and references."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it holds a reference (*name)")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        # What cannot be hashed is no key, which is told below.
        with contextlib.suppress(TypeError):
            key, times = max(Counter(keys).items(), key=itemgetter(1), default=(None, 0))
            if times > 1:
                raise yaml.YAMLError(f"{key} is there twice")
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """A value as YAML writes it.

    Raises:
        yaml.YAMLError: it is none, or not a plain one.
    """
    return yaml.load(text, Loader=_Loader)  # a SafeLoader


def read_yaml(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """The table of settings in a file; nothing in it runs.

    Args:
        kind: what errors call the file.

    Raises:
        FileError: it is missing, unreadable, far too large, or no YAML table.
    """
    file = readable_file(path, kind)
    try:
        if file.stat().st_size > LARGEST:
            raise yaml.YAMLError("it is far too large")
        found = parse_yaml(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
            raise yaml.YAMLError("it is no table of settings")
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError, ValueError) as error:
        raise FileError(
            f"this {kind} is no YAML: {' '.join(str(error).split())}.",
            where=str(file),
            fix="Correct that line.",
        ) from error
    return found
