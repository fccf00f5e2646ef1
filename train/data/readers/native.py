"""Reading through faery, whose native code may fail in ways of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spikeport.core.errors import FileError
from spikeport.train.data.readers.registry import Packet
from spikeport.train.data.readers.words import truncated


def open_native(path: Path, file_type: str, **options: Any) -> Any:
    """A stream of faery.

    Raises:
        FileError: faery refuses the file.
    """
    import faery

    try:
        return faery.events_stream_from_file(path, file_type=file_type, **options)
    except BaseException as error:
        raise told(path, 0, error) from error


def native_packets(stream: Any, path: Path, offset: Callable[[int], int]) -> Iterator[Packet]:
    """The packets of a stream; `offset` says at which byte packet i lies.

    Raises:
        FileError: faery fails on a packet.
    """
    count = 0
    packets = iter(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except BaseException as error:
            raise told(path, offset(count), error) from error
        count += 1
        yield {"x": packet["x"], "y": packet["y"], "t": packet["t"], "p": packet["on"]}


def told(path: Path, offset: int, error: BaseException) -> FileError:
    """The error of ours for one of faery's; what is no fault of the file goes on."""
    # Panics of native code derive from BaseException, so that `except Exception` misses them.
    fault = isinstance(error, Exception) or type(error).__name__ == "PanicException"
    if not fault or isinstance(error, MemoryError):
        raise error
    return truncated(path, offset, f"it cannot be decoded from here on ({str(error)[:200]})")
