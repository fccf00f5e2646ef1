"""AEDAT 4 (iniVation DV): packets of flatbuffers, often compressed. Decoded by faery."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from spikeport.train.data.readers.native import native_packets, open_native
from spikeport.train.data.readers.registry import RawStream, reader
from spikeport.train.data.readers.words import MAX_HEADER, truncated

_MAGIC = b"#!AER-DAT4.0\r\n"


@reader("aedat4", "AEDAT 4 of iniVation cameras", magic=(b"#!AER-DAT4",))
def open_aedat4(path: Path) -> RawStream:
    places = packet_offsets(path)
    stream = open_native(path, "aedat")
    events = [offset for offset, number in places if number == stream.track_id]
    end = path.stat().st_size

    def offset(index: int) -> int:
        return events[index] if index < len(events) else end

    notes = []
    if others := _other_event_streams(path, stream.track_id):
        notes.append(f"only event stream {stream.track_id} was read, not {others}")
    return RawStream(stream.dimensions(), native_packets(stream, path, offset), notes)


def _other_event_streams(path: Path, chosen: int) -> list[int]:
    """Those of further sensors, as in stereo recordings."""
    import faery

    with faery.aedat.Decoder(path) as decoder:
        tracks = decoder.tracks()
    return [each.id for each in tracks if each.data_type == "events" and each.id != chosen]


def packet_offsets(path: Path) -> list[tuple[int, int]]:
    """Byte offset and stream number of every packet.

    The version line is followed by the size of the header and the header; then come packets, each
    with stream number and size in front, up to the table that the header points to.

    Raises:
        FileError: the file ends within a packet or the header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC or len(word := file.read(4)) < 4:
            raise truncated(path, 0, "its version line is incomplete")
        (length,) = struct.unpack("<I", word)
        start = len(_MAGIC) + 4 + length
        if start > size or length > MAX_HEADER:
            raise truncated(path, len(_MAGIC), f"its header should have {length} bytes")
        table = _table_position(file.read(length))
        end = table if start <= table <= size else size
        found = _walk(file, path, start, end)
    if table > size:
        raise truncated(path, size, f"it should have a table at byte {table}")
    return found


def _walk(file: BinaryIO, path: Path, place: int, end: int) -> list[tuple[int, int]]:
    found = []
    while place < end:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            raise truncated(path, place, "a packet ends within its header")
        number, length = struct.unpack("<iI", head)
        if place + 8 + length > end:
            raise truncated(
                path, place, f"a packet should have {length} bytes, {end - place - 8} are there"
            )
        found.append((place, number))
        place += 8 + length
    return found


def _table_position(header: bytes) -> int:
    """Field 1 of the flatbuffer IOHeader, -1 where it is not there."""
    try:
        (root,) = struct.unpack_from("<I", header, 0)
        (back,) = struct.unpack_from("<i", header, root)
        vtable = root - back
        (length,) = struct.unpack_from("<H", header, vtable)
        (field,) = struct.unpack_from("<H", header, vtable + 6) if length >= 8 else (0,)
        if not field:
            return -1
        (position,) = struct.unpack_from("<q", header, root + field)
    except struct.error:
        return -1
    return int(position)
