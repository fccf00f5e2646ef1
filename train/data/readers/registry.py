"""Which reader a file belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file
from spikeport.core.registry import Registry

Packet = Mapping[str, NDArray[Any]]
"""Arrays x, y, t, p of one length, as the file has them."""

_HEAD = 4096
PACKET = 1 << 18
"""Events or words that are decoded at once where a file has no packets of its own."""


@dataclass(frozen=True)
class RawStream:
    """What a reader yields before it is checked.

    Attributes:
        sensor_size: (width, height) that the file states, or None.
        packets: in the order of the file, each of bounded size.
        notes: what the reader leaves out, one sentence each; complete when all is read.
    """

    sensor_size: tuple[int, int] | None
    packets: Iterator[Packet]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """How files of one format are known and read.

    Attributes:
        description: one line for lists.
        suffixes: of files whose content does not tell; empty where it always does.
        matches: whether the first bytes are of this format.
        open: reads the header; raises FileError with the byte offset of what is wrong.
    """

    description: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]
    open: Callable[[Path], RawStream]


READERS: Registry[Reader] = Registry(
    "event-file format", "spikeport.readers", lambda name, entry: isinstance(entry, Reader)
)


def reader(
    name: str,
    description: str,
    *,
    magic: tuple[bytes, ...] = (),
    suffixes: tuple[str, ...] = (),
    matches: Callable[[bytes], bool] | None = None,
) -> Callable[[Callable[[Path], RawStream]], Callable[[Path], RawStream]]:
    """Register the decorated `open` as the reader of a format."""

    def add(open_file: Callable[[Path], RawStream]) -> Callable[[Path], RawStream]:
        known = matches or (lambda head: head.startswith(magic) if magic else False)
        READERS.add(name, Reader(description, suffixes, known, open_file))
        return open_file

    return add


def detect(path: Path) -> str:
    """The name of the format: by the first bytes, by the suffix only where they do not tell.

    Raises:
        FileError: missing, empty, or of no known format.
    """
    readable_file(path, "recording")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise FileError("this recording is empty.", where=str(path), fix="Record or copy it again.")
    for name, entry in READERS.items():
        if entry.matches(head):
            return name
    for name, entry in READERS.items():
        if path.suffix.lower() in entry.suffixes:
            return name
    raise FileError(
        "neither the first bytes nor the name tell a known format of event files.",
        where=f"{path}, byte 0",
        fix=f"Known: {', '.join(sorted(READERS))}.",
    )
