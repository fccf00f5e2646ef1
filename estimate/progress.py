"""What a run has counted so far, in one file, so that it can go on after it was killed."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import FileError, UsageError
from spikeport.core.files import readable_file, remove_abandoned, write_bytes

FORMAT = 2
SECONDS = 3.0
"""Time between two files; what was counted since is counted again after a kill."""

Arrays = Mapping[str, npt.NDArray[Any]]


class Kept(Protocol):
    """Something that a run adds to, such as a tally."""

    def state(self) -> Arrays: ...

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned.

        Raises:
            ValueError, KeyError: the arrays do not fit.
        """
        ...


class Progress:
    """Totals and the set of finished batches, written atomically every few seconds.

    Args:
        path: the file.
        resume: go on from the file if it exists; otherwise it is replaced.
        settings: what must be the same to go on, by name.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.path, self.resume = Path(path), resume
        self._settings = {name: str(value) for name, value in (settings or {}).items()}
        self._written = time.monotonic()

    def restore(self, parts: Mapping[str, Kept], own: Mapping[str, object]) -> frozenset[int]:
        """Put what the file holds into empty parts; the finished batches.

        What a kill left of a file half written is removed.

        Args:
            parts: what the run adds to, by name.
            own: further settings that must be the same.

        Raises:
            FileError: the file is damaged or of another kind.
            UsageError: it belongs to another graph, data or setting, which is named.
        """
        remove_abandoned(self.path)
        self._settings |= {name: str(value) for name, value in own.items()}
        if not self.resume or not self.path.exists():
            return frozenset()
        try:
            header, arrays = _read(readable_file(self.path, "progress file"))
            self._compare(header["settings"])
            for name, part in parts.items():
                begin = f"{name}/"
                own_arrays = {k: array for k, array in arrays.items() if k.startswith(begin)}
                part.restore({k.removeprefix(begin): array for k, array in own_arrays.items()})
            return frozenset(arrays["done"].tolist())
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(
                f"this progress file cannot be read ({str(error)[:200]}).",
                where=str(self.path),
                fix="Start again without resuming; it is then replaced.",
            ) from error

    def due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self._written > SECONDS

    def write(self, parts: Mapping[str, Kept], done: frozenset[int] | set[int]) -> None:
        """Replace the file.

        Raises:
            FileError: it cannot be written.
        """
        header = json.dumps({"format": FORMAT, "settings": self._settings}).encode()
        arrays: dict[str, Any] = {
            "header": np.frombuffer(header, dtype=np.uint8),
            "done": np.array(sorted(done), dtype=np.int64),
        }
        for name, part in parts.items():
            arrays |= {f"{name}/{key}": array for key, array in part.state().items()}
        content = io.BytesIO()
        np.savez(content, **arrays)
        write_bytes(self.path, content.getvalue())
        self._written = time.monotonic()

    def remove(self) -> None:
        """The run is complete and its files are written."""
        self.path.unlink(missing_ok=True)

    def _compare(self, theirs: Mapping[str, str]) -> None:
        changed = [
            f"{name} (then {theirs.get(name, 'not given')}, now "
            f"{self._settings.get(name, 'not given')})"
            for name in sorted({*theirs, *self._settings})
            if theirs.get(name) != self._settings.get(name)
        ]
        if changed:
            raise UsageError(
                f"the interrupted run differs from this one in {'; '.join(changed)}.",
                where=str(self.path),
                fix="Give the same again, or start anew without resuming.",
            )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    # No pickles: nothing loaded may run code.
    with np.load(path, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    header = json.loads(arrays.pop("header").tobytes())
    if header["format"] != FORMAT:
        raise ValueError(f"format {header['format']}, not {FORMAT}")
    return header, arrays
