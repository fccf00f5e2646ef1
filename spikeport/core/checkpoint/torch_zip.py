"""Files that `torch.save` writes since torch 1.6: a zip archive of a pickle and raw storages."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from spikeport.core.checkpoint.content import Content
from spikeport.core.checkpoint.refusals import foreign, unsafe
from spikeport.core.checkpoint.safe_globals import only_safe_globals
from spikeport.core.checkpoint.scan import Storage, scan
from spikeport.core.errors import FileError

_LOCAL_HEADER = 30
_PICKLE_LIMIT = 2**26
"""Bytes of a pickle. It lists tensors (some 200 bytes each) and does not hold their numbers."""


def is_torch_zip(start: bytes) -> bool:
    """Whether a file that starts like this is a zip archive."""
    return start.startswith(b"PK\x03\x04")


def read_torch_zip(path: Path) -> Content:
    """Read a zip archive of `torch.save`, memory-mapped.

    Raises:
        FileError: damaged, foreign or unsafe, or not as large as it claims.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path)
            pickled = io.BytesIO(archive.read(members["data.pkl"]))
        found = scan(pickled)
        if found.foreign:
            raise unsafe(path, found.foreign)
        _check_storages(found.storages, members, path)
        if path.suffix == ".safetensors":
            # torch.load goes by this suffix and would look no further.
            raise FileError(
                "this is a torch file in spite of its name.",
                where=str(path),
                fix="Rename it to end in .pt.",
            )
        with only_safe_globals():
            value = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileError:
        raise
    except Exception as error:  # a damaged file makes the readers fail in many ways
        raise foreign(path, error) from error
    return Content(value, "torch file", ordered=True)


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The members by name within the archive's one folder, known to lie in the file one by one."""
    infos = archive.infolist()
    folders = {info.filename.partition("/")[0] for info in infos}
    members = {info.filename.partition("/")[2]: info for info in infos}
    if "constants.pkl" in members:
        raise FileError(
            "this is a TorchScript program, not a checkpoint: its weights come with code.",
            where=str(path),
            fix="Save only the weights: torch.save(module.state_dict(), path).",
        )
    if len(folders) != 1 or len(members) != len(infos) or "data.pkl" not in members:
        raise foreign(path, "a zip archive that torch.save did not write")
    _check_places(archive, infos, path)
    if members["data.pkl"].file_size > _PICKLE_LIMIT:
        raise foreign(path, f"its list of tensors takes {members['data.pkl'].file_size:,} bytes")
    return members


def _check_places(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], path: Path) -> None:
    file, end = archive.fp, 0
    size = path.stat().st_size
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise foreign(path, f"{info.filename} is compressed, which torch.save never does")
        if info.header_offset < end or file is None:
            raise foreign(path, f"{info.filename} lies over another member")
        file.seek(info.header_offset)
        name, extra = struct.unpack("<26x2H", file.read(_LOCAL_HEADER))
        end = info.header_offset + _LOCAL_HEADER + name + extra + info.file_size
        if end > size:
            raise foreign(
                path, f"{info.filename} claims {info.file_size:,} bytes, the file has {size:,}"
            )


def _check_storages(
    storages: Mapping[str, Storage], members: Mapping[str, zipfile.ZipInfo], path: Path
) -> None:
    for key, storage in storages.items():
        member = members.get(f"data/{key}")
        if member is None or member.file_size != storage.size:
            has = "none are there" if member is None else f"it has {member.file_size:,}"
            raise foreign(path, f"storage {key} claims {storage.size:,} bytes, {has}")
