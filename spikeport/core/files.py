"""Atomic files (what is being replaced stays whole until its successor is) and where caches lie."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from spikeport.core.errors import FileError

_RANDOM = 8
"""Characters in the name of a temporary file that no other one has."""


def cache_folder() -> Path:
    """`$SPIKEPORT_CACHE`, or the folder for caches of this platform."""
    return Path(os.environ.get("SPIKEPORT_CACHE") or user_cache_dir("spikeport", appauthor=False))


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` when the block ends without error.

    On any failure the temporary file is removed and an earlier file at `path` is left as it was.
    Errors of the block that do not come from writing it go on as they are.

    Raises:
        FileError: the file cannot be written (no such folder, no right, disk full).
    """
    target = Path(path).resolve()  # a link stays a link to what is written
    temporary: Path | None = None
    lock: int | None = None
    if target.exists() and not target.is_file():
        raise FileError(
            "this is not a regular file, so it is not replaced.",
            where=str(path),
            fix="Give the name of a file.",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Held while the file is written, so that nobody takes it for abandoned.
        lock, temporary = _new_file(target)
        if not _lock(lock):
            os.close(lock)
            lock = None
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        if temporary is not None and not _of_writing(error, temporary):
            raise
        raise FileError(
            f"cannot write it: {error.strerror or error}.",
            where=str(target),
            fix="Free space or choose another folder; the earlier file, if any, is untouched.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def _of_writing(error: OSError, path: Path) -> bool:
    """Whether an error may come from writing to `path`, or to a file named after it.

    Errors of opening say which file; those of writing to an open one do not, but pipes have their
    own.
    """
    if isinstance(error, ConnectionError):
        return False
    return error.filename is None or str(error.filename).startswith(str(path))


def _new_file(target: Path) -> tuple[int, Path]:
    """An empty temporary file beside `target`, open, with the rights of an ordinary file.

    Not by `tempfile`, whose files only the owner may read: to ask for the umask, so that they can
    be given the others' rights afterwards, is to change it for all threads.
    """
    while True:
        name = f".{target.name}.{secrets.token_hex(_RANDOM // 2)}.tmp{target.suffix}"
        path = target.with_name(name)
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), path


def remove_abandoned(path: str | os.PathLike[str]) -> None:
    """Remove temporary files of `atomic_path(path)` whose process was killed while it wrote.

    A file that a living process writes is left alone, and so are all where the file system tells
    nothing about that.
    """
    target = Path(path).resolve()
    before, after = (glob.escape(part) for part in (f".{target.name}.", f".tmp{target.suffix}"))
    for left in target.parent.glob(f"{before}{'?' * _RANDOM}{after}"):
        with contextlib.suppress(OSError), left.open("r+b") as file:
            if _lock(file.fileno()):
                left.unlink()


def _lock(handle: int) -> bool:
    """Whether this process alone now holds the open file; the system lets go when it ends.

    Not by `flock`, where there is another way: HDF5 takes that one on files that it writes.
    """
    try:
        import fcntl

        if hasattr(fcntl, "F_OFD_SETLK"):
            whole_file = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, whole_file)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` to `path` atomically, as indented JSON (no NaN or infinity)."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def readable_file(path: str | os.PathLike[str], kind: str) -> Path:
    """Return `path` if it is a readable regular file.

    Raises:
        FileError: it is not; the message calls it by `kind` ("checkpoint", "graph", ...).
    """
    target = Path(path)
    try:
        if not target.is_file():
            missing = "is not a file" if target.exists() else "does not exist"
            raise FileError(
                f"this {kind} {missing}.",
                where=str(target),
                fix="Check the path for typing errors.",
            )
        with target.open("rb"):
            pass
    except OSError as error:
        raise FileError(
            f"this {kind} cannot be read: {error.strerror or error}.",
            where=str(target),
            fix="Check the path and your right to read it.",
        ) from error
    return target
