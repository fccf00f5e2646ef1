"""EVT 2, EVT 3 and DAT of Prophesee cameras, and ES (Event Stream)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from spikeport.core.errors import FileError
from spikeport.train.data.readers.evt3 import decode_evt3
from spikeport.train.data.readers.native import native_packets, open_native
from spikeport.train.data.readers.registry import RawStream, reader
from spikeport.train.data.readers.words import check_words, comment_lines, truncated

# What faery is told where the header has no size; the checks then find the bounds of 15 bits.
_ANY_SIZE = (1 << 15, 1 << 15)


def _version(head: bytes) -> str | None:
    """EVT version that a header states."""
    if not head.startswith(b"% "):
        return None
    text = head.decode("latin-1")
    found = re.search(r"^% (?:evt |format EVT)(\d(?:\.\d)?)", text, re.MULTILINE)
    return None if found is None else found[1].removesuffix(".0")


@reader("evt2", "EVT 2 of Prophesee cameras (.raw)", matches=lambda head: _version(head) == "2")
def open_evt2(path: Path) -> RawStream:
    return _native(path, "evt", 4, 0, version_fallback="evt2")


@reader("evt3", "EVT 3 of Prophesee cameras (.raw)", matches=lambda head: _version(head) == "3")
def open_evt3(path: Path) -> RawStream:
    lines, start = comment_lines(path, b"% ")
    check_words(path, start, 2)
    notes: list[str] = []
    return RawStream(_size(lines), decode_evt3(path, start, notes), notes)


@reader("raw", "EVT without a usable header; refused", suffixes=(".raw",))
def open_raw(path: Path) -> RawStream:
    raise FileError(
        "its header does not say EVT 2 or EVT 3.",
        where=f"{path}, byte 0",
        fix="Convert it to EVT 2 or EVT 3 with the camera's software.",
    )


def _is_dat(head: bytes) -> bool:
    if not head.startswith(b"% ") or _version(head) is not None:
        return False
    return re.search(rb"^% (Version|Data file|Width)", head, re.MULTILINE) is not None


@reader("dat", "DAT of Prophesee cameras", matches=_is_dat)
def open_dat(path: Path) -> RawStream:
    _, start = comment_lines(path, b"% ")
    with path.open("rb") as file:
        file.seek(start)
        kind = file.read(2)
    if len(kind) < 2 or kind[1] != 8:
        raise truncated(path, start, "event type and size should follow the header")
    return _native(path, "dat", 8, 2)


@reader("es", "Event Stream (.es)", magic=(b"Event Stream",))
def open_es(path: Path) -> RawStream:
    stream = open_native(path, "es")
    # Events have no fixed size, so that faery's place in the file is not known.
    return RawStream(stream.dimensions(), native_packets(stream, path, lambda index: 0))


def _native(path: Path, file_type: str, word: int, behind: int, **options: Any) -> RawStream:
    lines, start = comment_lines(path, b"% ")
    check_words(path, start + behind, word)
    stream = open_native(path, file_type, dimensions_fallback=_ANY_SIZE, **options)
    return RawStream(_size(lines), native_packets(stream, path, lambda index: start + behind))


def _size(lines: list[str]) -> tuple[int, int] | None:
    """Width and height that a header states, in any of the ways in use."""
    text = "\n".join(lines)
    if found := re.search(r"^geometry (\d{1,5})x(\d{1,5})$", text, re.MULTILINE):
        return int(found[1]), int(found[2])
    found = re.search(r"\bwidth[= ](\d{1,5})\b", text, re.IGNORECASE)
    other = re.search(r"\bheight[= ](\d{1,5})\b", text, re.IGNORECASE)
    return (int(found[1]), int(other[1])) if found and other else None
