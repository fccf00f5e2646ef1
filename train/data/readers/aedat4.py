"""AEDAT 4 (iniVation DV): packets of flatbuffers, often compressed. Decoded by faery."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

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
        table = _table_position(path, file.read(length))
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


def _table_position(path: Path, header: bytes) -> int:
    """Where the table behind the packets is, -1 without one.

    The header is a flatbuffer: compression, position of the table, XML. faery reads it unchecked,
    and a damaged one ends the process.
    """
    try:
        (root,) = struct.unpack_from("<I", header, 0)
        (back,) = struct.unpack_from("<i", header, root)
        vtable = root - back
        length, size = struct.unpack_from("<HH", header, vtable)
        count = (length - 4) // 2
        fields = [*struct.unpack_from(f"<{min(count, 3)}H", header, vtable + 4), 0, 0, 0][:3]
        if length % 2 or vtable < 4 or root + size > len(header) or not fields[2]:
            raise struct.error("layout")
        if any(
            field and not 4 <= field <= size - width
            for field, width in zip(fields, (4, 8, 4), strict=True)
        ):
            raise struct.error("field")
        (compression,) = struct.unpack_from("<i", header, root + fields[0]) if fields[0] else (0,)
        (position,) = struct.unpack_from("<q", header, root + fields[1]) if fields[1] else (-1,)
        (ahead,) = struct.unpack_from("<I", header, root + fields[2])
        text = root + fields[2] + ahead
        (letters,) = struct.unpack_from("<I", header, text)
        if not 0 <= compression <= 4 or text + 4 + letters > len(header):
            raise struct.error("content")
        ElementTree.fromstring(header[text + 4 : text + 4 + letters].decode())
    except (struct.error, UnicodeDecodeError, ElementTree.ParseError) as error:
        raise truncated(path, len(_MAGIC) + 4, "its header is damaged") from error
    return int(position)
