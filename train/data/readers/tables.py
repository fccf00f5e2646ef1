"""CSV with a header that names x, y, t and p."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spikeport.core.errors import FileError
from spikeport.train.data.readers.names import field_names
from spikeport.train.data.readers.registry import PACKET, Packet, RawStream, reader


@reader("csv", "CSV with a header that names x, y, t, p", suffixes=(".csv",))
def open_csv(path: Path) -> RawStream:
    # Late, since it is slow.
    import pandas as pd

    try:
        head = pd.read_csv(path, nrows=0, skipinitialspace=True)
    except ValueError as error:
        raise _damaged(path, error) from error
    names = field_names(path, [str(name) for name in head.columns])
    return RawStream(None, _packets(path, names))


def _packets(path: Path, names: dict[str, str]) -> Iterator[Packet]:
    import pandas as pd

    try:
        # Whole numbers only, so that 1.5 or an empty cell is told and not rounded.
        types = dict.fromkeys(names.values(), "int64")
        with pd.read_csv(
            path,
            usecols=list(names.values()),
            dtype=types,
            chunksize=PACKET,
            skipinitialspace=True,
        ) as blocks:
            for block in blocks:
                yield {field: block[name].to_numpy() for field, name in names.items()}
    except (ValueError, OverflowError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> FileError:
    return FileError(
        f"it is no table of whole numbers ({str(error)[:200]}).",
        where=str(path),
        fix="Give a header with x, y, t, p and whole numbers; times in microseconds.",
    )
