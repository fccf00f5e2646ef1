"""What is said about files that are not read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spikeport.core.errors import FileError

_SHOWN = 5


def foreign(path: Path, reason: object) -> FileError:
    """Damaged, or something else altogether; `reason` may be an error of the reader."""
    first_line = next(iter(str(reason).strip().splitlines()), type(reason).__name__)[:200]
    return FileError(
        f"this checkpoint is truncated or not a checkpoint at all ({first_line.rstrip('.')}).",
        where=str(path),
        fix="Give a .safetensors file, or a .pt / .pth / .pth.tar file written by torch.save.",
    )


def unsafe(path: Path, names: Iterable[str]) -> FileError:
    """Holds objects that only code could rebuild."""
    listed = sorted(set(names))
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return FileError(
        "this checkpoint holds more than tensors and plain data "
        f"({', '.join(listed[:_SHOWN])}{more}): reading it could run code from the file, "
        "so it was not read.",
        where=str(path),
        fix="Save only the weights: torch.save(model.state_dict(), path), or safetensors.",
    )


def no_state_dict(path: Path, reason: str) -> FileError:
    """Readable, but no weights in it."""
    return FileError(
        f"{reason}, so there is no state dict to load.",
        where=str(path),
        fix="Save the weights with torch.save(model.state_dict(), path).",
    )
