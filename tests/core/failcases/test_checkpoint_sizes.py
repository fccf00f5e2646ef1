"""Checkpoints whose sizes are not what they claim: refused before anything is allocated."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import REBUILD, number, refused, rewritten, tensor_pickle, with_pickle
from safetensors.torch import save_file

from spikeport.core.checkpoint import read_weights


def test_the_pickles_made_here_are_read_if_they_are_right(tmp_path: Path) -> None:
    content = tensor_pickle(elements=2, offset=0, shape=b"K\x02\x85", strides=b"K\x01\x85")
    weights = read_weights(with_pickle(tmp_path / "c.pt", content))
    assert torch.equal(weights.tensors["w"], torch.ones(2))


@pytest.mark.parametrize("elements", [0, 1, 3, 2**40, 2**62])
def test_a_storage_of_another_size_than_claimed(tmp_path: Path, elements: int) -> None:
    # Mapped by torch it would read the neighbouring bytes of the file as weights.
    content = tensor_pickle(elements=elements, offset=0, shape=b"K\0\x85", strides=b"K\x01\x85")
    refused(with_pickle(tmp_path / "c.pt", content), f"claims {elements * 4:,} bytes")


def test_a_negative_storage(tmp_path: Path) -> None:
    content = tensor_pickle(elements=-1, offset=0, shape=b"K\0\x85", strides=b"K\x01\x85")
    refused(with_pickle(tmp_path / "c.pt", content), "unknown type or length")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, b"K\x03\x85", b"K\x01\x85"),
        (1, b"K\x02\x85", b"K\x01\x85"),
        (0, b"K\x02\x85", b"K\x02\x85"),
        (0, number(2**40) + b"\x85", b"K\x01\x85"),
        (-1, b"K\x02\x85", b"K\x01\x85"),
        (0, b"K\x02\x85", number(-1) + b"\x85"),
        (0, number(-2) + b"\x85", b"K\x01\x85"),
        (0, b"K\x01K\x02\x86", b"K\x01\x85"),
        (0, b"X\x01\0\0\x002\x85", b"K\x01\x85"),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage(
    tmp_path: Path, offset: int, shape: bytes, strides: bytes
) -> None:
    content = tensor_pickle(elements=2, offset=offset, shape=shape, strides=strides)
    refused(with_pickle(tmp_path / "c.pt", content), "reaches beyond|cannot be|damaged")


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_tensor_that_is_given_another_shape_afterwards(tmp_path: Path, wrapped: bool) -> None:
    """Torch makes its storage larger for it, whatever was checked before."""
    content = tensor_pickle(elements=2, offset=0, shape=b"K\x02\x85", strides=b"K\x01\x85")
    storage = content[content.index(b"(X\x07") : content.index(b"tQ") + 2]
    grown = b"(" + storage + number(0) + number(2**36) + b"\x85K\x01\x85tb"
    made = content[content.index(REBUILD) : -2]
    if wrapped:
        made = (
            b"ctorch._utils\n_rebuild_parameter\n(" + made + b"\x89ccollections\nOrderedDict\n)RtR"
        )
    content = b"\x80\x02}X\x01\0\0\0w" + made + grown + b"s."
    refused(with_pickle(tmp_path / "c.pt", content), "changes a tensor")


def test_one_storage_of_two_lengths(tmp_path: Path) -> None:
    one = tensor_pickle(elements=2, offset=0, shape=b"K\x02\x85", strides=b"K\x01\x85")
    two = tensor_pickle(elements=9, offset=0, shape=b"K\x02\x85", strides=b"K\x01\x85")
    content = one[:-1] + two[3:].replace(b"\0w", b"\0v", 1)
    refused(with_pickle(tmp_path / "c.pt", content), "two lengths")


def test_a_missing_storage(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "c.pt")
    rewritten(tmp_path / "c.pt", lambda members: members.pop("c/data/0"))
    refused(tmp_path / "c.pt", "storage 0 claims 8 bytes, none are there")


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(2)}, path)
    bomb = bytes(2**26)
    rewritten(
        path,
        lambda members: members.__setitem__("c/data/0", bomb),
        compression=zipfile.ZIP_DEFLATED,
    )
    assert path.stat().st_size < 2**20
    refused(path, "is compressed, which torch.save never does")


def _patched(path: Path, change: Callable[[bytearray, int], None]) -> None:
    """Change the central directory's entry for `data/0`."""
    raw = bytearray(path.read_bytes())
    directory = raw.index(b"PK\x01\x02")
    while not raw[directory + 46 :].startswith(b"c/data/0"):
        directory = raw.index(b"PK\x01\x02", directory + 4)
    change(raw, directory)
    path.write_bytes(raw)


def test_a_zip_member_that_claims_an_absurd_size(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(2)}, path)
    _patched(path, lambda raw, at: struct.pack_into("<2I", raw, at + 20, 2**31, 2**31))
    refused(path, r"claims 2,147,483,648 bytes|lies over")


def test_zip_members_that_lie_over_each_other(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(2)}, path)
    _patched(path, lambda raw, at: struct.pack_into("<I", raw, at + 42, 0))
    refused(path, "lies over another member")


def test_a_zip_archive_of_something_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", w=np.ones(2))
    refused(tmp_path / "c.npz", "torch.save did not write")
    with zipfile.ZipFile(tmp_path / "empty.pt", "w") as archive:
        archive.writestr("a/b", b"")
    refused(tmp_path / "empty.pt", "torch.save did not write")


def test_two_members_of_one_name(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "c.pt")
    with zipfile.ZipFile(tmp_path / "c.pt", "a") as archive, pytest.warns(match="Duplicate"):
        archive.writestr("c/data/0", bytes(8))
    refused(tmp_path / "c.pt", "torch.save did not write")


def test_a_pickle_as_large_as_no_list_of_tensors(tmp_path: Path) -> None:
    refused(with_pickle(tmp_path / "c.pt", bytes(2**26 + 1)), "list of tensors takes")


@pytest.mark.parametrize("factor", [2, 2**30])
def test_a_legacy_storage_beyond_the_end_of_the_file(tmp_path: Path, factor: int) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(200)}, path, _use_new_zipfile_serialization=False)
    raw = path.read_bytes()
    assert raw.count(b"cpuq\x06K\xc8") == 1
    path.write_bytes(raw.replace(b"cpuq\x06K\xc8", b"cpuq\x06" + number(200 * factor)))
    refused(path, "its storages claim")


def test_a_legacy_file_that_leaves_a_storage_out(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(200)}, path, _use_new_zipfile_serialization=False)
    raw = path.read_bytes()
    keys = raw.rindex(b"\x80\x02]")
    path.write_bytes(raw[:keys] + b"\x80\x02]." + bytes(4000))
    refused(path, "list of storages is not complete")


@pytest.mark.parametrize("length", [2**20, 2**27, 2**63])
def test_a_safetensors_header_that_is_too_large(tmp_path: Path, length: int) -> None:
    path = tmp_path / "c.safetensors"
    save_file({"w": torch.ones(2)}, path)
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    refused(path, f"header claims {length:,} bytes")


def _safetensors(path: Path, header: dict[str, Any] | str, data: bytes = bytes(8)) -> Path:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 2**40]},
        {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F33", "shape": [2], "data_offsets": [0, 8]},
    ],
)
def test_a_safetensors_entry_of_another_size(tmp_path: Path, entry: dict[str, Any]) -> None:
    refused(_safetensors(tmp_path / "c", {"w": entry}), "truncated")


def test_a_safetensors_header_that_nests_without_end(tmp_path: Path) -> None:
    refused(_safetensors(tmp_path / "c", '{"a":' * 100_000), "truncated")
