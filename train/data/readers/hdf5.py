"""HDF5 with a group `events` of arrays x, y, t, p, or a structured data set `events`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from spikeport.core.errors import FileError
from spikeport.train.data.readers.names import named_columns
from spikeport.train.data.readers.registry import PACKET, Packet, RawStream, reader

# Filters that are known by number only; see the list of the HDF Group.
_FILTERS = {32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32015: "Zstandard",
            32026: "Blosc2", 36559: "Prophesee ECF"}  # fmt: skip
# More than any filter saves on events.
_MOST_SAVED = 2000


@reader(
    "hdf5", "HDF5 with events/x, y, t, p or a structured data set", magic=(b"\x89HDF\r\n\x1a\n",)
)
def open_hdf5(path: Path) -> RawStream:
    with _told(path), h5py.File(path, "r") as file:
        source = _source(path, file)
        datasets = _datasets(path, source)
        for dataset in {id(each): each for each in datasets.values()}.values():
            _check(path, dataset)
        size = _sensor_size(file, source)
    return RawStream(size, _packets(path))


class _told:
    """Errors of h5py as ours, but for too little memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (FileError, MemoryError)):
            raise FileError(
                f"HDF5 cannot read it ({str(error)[:200] or type(error).__name__}).",
                where=f"{self.path}, byte 0",
                fix="The file is truncated or damaged: copy it again. --skip-bad leaves it out.",
            ) from error


def _source(path: Path, file: Any) -> Any:
    for name in ("events", "CD/events"):
        if name in file:
            link = file.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise _refused(path, f"{name} lies in another file")
            return file[name]
    return file


def _datasets(path: Path, source: Any) -> dict[str, Any]:
    """The data set of each of x, y, t, p; the same one four times where it is structured."""
    if isinstance(source, h5py.Dataset):
        names = source.dtype.names or ()
        return dict.fromkeys(named_columns(path, {name: name for name in names}, names), source)
    links = {name: source.get(name, getlink=True) for name in source}
    if any(isinstance(link, h5py.ExternalLink) for link in links.values()):
        raise _refused(path, "some of its arrays lie in another file")
    arrays = {name: source[name] for name in links if isinstance(source[name], h5py.Dataset)}
    return named_columns(path, arrays, tuple(arrays))


def _check(path: Path, dataset: Any) -> None:
    if dataset.external or dataset.is_virtual:
        raise _refused(path, f"{dataset.name} lies in another file")
    if dataset.ndim != 1:
        raise _refused(path, f"{dataset.name} has the shape {list(dataset.shape)}, not one axis")
    settings = dataset.id.get_create_plist()
    for index in range(settings.get_nfilters()):
        code, _, _, name = settings.get_filter(index)
        if not h5py.h5z.filter_avail(code):
            called = _FILTERS.get(code, name.decode("latin-1") or "unknown")
            raise FileError(
                f"{dataset.name} is compressed with the filter {called} ({code}), which is not "
                "installed.",
                where=str(path),
                fix="Import hdf5plugin before, or repack the file with gzip (h5repack -f GZIP=4).",
            )
    if dataset.nbytes > _MOST_SAVED * path.stat().st_size:
        raise _refused(path, f"{dataset.name} should hold {dataset.nbytes:,} bytes")


def _packets(path: Path) -> Iterator[Packet]:
    with _told(path), h5py.File(path, "r") as file:
        source = _source(path, file)
        if isinstance(source, h5py.Dataset):
            for start in range(0, len(source), PACKET):
                block = source[start : start + PACKET]
                yield named_columns(path, block, block.dtype.names or ())
            return
        datasets = _datasets(path, source)
        lengths = {len(dataset) for dataset in datasets.values()}
        if len(lengths) != 1:
            raise _refused(path, "x, y, t and p are not equally long")
        for start in range(0, lengths.pop(), PACKET):
            yield {name: data[start : start + PACKET] for name, data in datasets.items()}


def _sensor_size(file: Any, source: Any) -> tuple[int, int] | None:
    for holder in (source, file):
        if "width" in holder.attrs and "height" in holder.attrs:
            return int(holder.attrs["width"]), int(holder.attrs["height"])
    return None


def _refused(path: Path, why: str) -> FileError:
    return FileError(
        f"{why}.",
        where=str(path),
        fix="Give a file with events/x, y, t, p (equally long) or a structured data set events.",
    )
