"""Tensors in files, read without ever running code from them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.core.files import atomic_path, readable_file

_STATE_DICT_KEYS = ("state_dict", "model", "net", "model_state_dict")


def save_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write named tensors and string metadata to one safetensors file, atomically."""
    flat = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(flat, temporary, metadata=dict(metadata))
        except SafetensorError as error:
            # safetensors wraps the operating system's error (disk full) in its own type.
            raise OSError(str(error)) from error


def load_tensors(
    path: str | os.PathLike[str],
    kind: str = "file",
    examine: Callable[[dict[str, str]], object] = lambda metadata: None,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors by name, and its metadata.

    The library checks sizes and places of all tensors against the file's length before it reads.

    Args:
        kind: what messages call the file.
        examine: sees the metadata before any tensor is read, and raises if it is not as it must be.

    Raises:
        FileError: missing, unreadable, truncated or not safetensors.
    """
    target = readable_file(path, kind)
    try:
        with safe_open(target, framework="pt") as reader:
            metadata = dict(reader.metadata() or {})
            examine(metadata)
            return {name: reader.get_tensor(name) for name in reader.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FileError(
            f"this {kind} is truncated or not a safetensors file ({str(error)[:200]}).",
            where=str(target),
            fix="Copy it again, or write it anew from its source.",
        ) from error


def load_state_dict(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a checkpoint: safetensors, or a torch file that holds nothing but data.

    A torch file may hold the state dict itself or one of the usual wrappers around it
    (`state_dict`, `model`, `net`, `model_state_dict`). Pickles are opened with
    `weights_only=True`: one that wants to run code is refused.

    Returns:
        the state dict, and the metadata (empty for torch files).

    Raises:
        FileError: missing, unreadable, truncated, foreign, or unsafe.
    """
    target = readable_file(path, "checkpoint")
    if target.suffix == ".safetensors":
        return load_tensors(target, "checkpoint")
    return _state_dict_of(_load_torch(target), target), {}


def _load_torch(target: Path) -> Any:
    try:
        return torch.load(target, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # The unpickler names the function that the file wants to call.
        if "GLOBAL" in str(error) or "Unsupported global" in str(error):
            raise FileError(
                "this checkpoint holds more than tensors: reading it could run code from the file, "
                "so it was not read.",
                where=str(target),
                fix="Save only the weights: torch.save(model.state_dict(), path), or safetensors.",
            ) from error
        raise _foreign(target, error) from error
    except Exception as error:  # a damaged file makes the reader fail in many ways
        raise _foreign(target, error) from error


def _foreign(target: Path, error: Exception) -> FileError:
    first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
    return FileError(
        f"this checkpoint is truncated or not a checkpoint at all ({first_line}).",
        where=str(target),
        fix="Give a .safetensors file, or a .pt / .pth file written by torch.save.",
    )


def _state_dict_of(content: Any, target: Path) -> dict[str, Tensor]:
    for key in _STATE_DICT_KEYS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise FileError(
            f"this checkpoint holds a {type(content).__name__}, not a state dict.",
            where=str(target),
            fix="Save the weights with torch.save(model.state_dict(), path).",
        )
    strange = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise FileError(
            f"its entry {strange[0]!r} is not a tensor, so this is not a state dict.",
            where=str(target),
            fix="Save the weights with torch.save(model.state_dict(), path).",
        )
    return {str(name): value for name, value in content.items()}
