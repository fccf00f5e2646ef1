"""Checkpoint files that must be refused: nothing in them runs, nothing they claim is allocated."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pickle
import resource
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from spikeport.core.checkpoint import read_weights
from spikeport.core.errors import FileError
from spikeport.core.tensors import save_tensors

REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def refused(path: Path, told: str, **options: Any) -> FileError:
    """Refused, at once, and without taking memory for what the file claims."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(FileError, match=told) as caught:
        read_weights(path, **options)
    assert caught.value.where == str(path) and caught.value.fix
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    return caught.value


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], **options: Any) -> None:
    """Change the members of a torch file; the archive is written anew by `zipfile`."""
    with zipfile.ZipFile(path) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w", **options) as target:
        for name, data in members.items():
            target.writestr(name, data)


def with_pickle(path: Path, content: bytes) -> Path:
    """A torch file whose pickle is `content`; its only storage, "0", has eight bytes."""
    torch.save({"w": torch.ones(2)}, path)
    rewritten(path, lambda members: members.__setitem__(f"{path.stem}/data.pkl", content))
    return path


def tensor_pickle(*, elements: int, offset: int, shape: bytes, strides: bytes) -> bytes:
    """{"w": a tensor on storage "0", which is told to have `elements` float32 numbers}."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
    return (
        b"\x80\x02}X\x01\0\0\0w" + REBUILD + b"(" + storage + number(elements) + b"tQ"
        + number(offset) + shape + strides + b"\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip


def number(value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


# --- code ---------------------------------------------------------------------------------------


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


class MyNamespace(argparse.Namespace):
    """Rebuilding it would import a module of the writer's choice."""


def bombs(proof: Path) -> dict[str, Any]:
    return {
        "posix.mkdir": Calls(os.mkdir, str(proof)),
        "posix.system": Calls(os.system, f"touch {proof}"),
        "builtins.eval": Calls(eval, f"open({str(proof)!r}, 'w')"),
        "builtins.getattr": Calls(getattr, os.mkdir, "__call__"),
        "MyNamespace": MyNamespace(x=1),
        "pathlib": proof,
        "numpy._core.multiarray._reconstruct": np.ones(3),
        "builtins.bytearray": Calls(bytearray, 10**12),
        "torch.FloatTensor": Calls(torch.FloatTensor, 10**12),
        "torch.serialization.load": Calls(torch.load, str(proof)),
        "_codecs.encode": Calls(__import__("_codecs").encode, "x", "rot13"),
        "torch._tensor._rebuild_from_type_v2": Calls(
            torch._tensor._rebuild_from_type_v2, torch.Tensor, torch.Tensor, (), {}
        ),
    }


@pytest.mark.parametrize("name", bombs(Path("x")))
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("beside", [True, False])
def test_a_pickle_that_wants_more_than_tensors(
    tmp_path: Path, name: str, new: bool, beside: bool
) -> None:
    proof, path = tmp_path / "it-ran", tmp_path / "evil.pt"
    bomb = bombs(proof)[name]
    content = {"state_dict": {"w": torch.ones(2)}, "args": bomb} if beside else {"w": bomb}
    torch.save(content, path, _use_new_zipfile_serialization=new)
    assert name in str(refused(path, "could run code"))
    assert not proof.exists()


def test_a_chain_of_getattr_by_hand(tmp_path: Path) -> None:
    chain = (
        b"\x80\x02cbuiltins\ngetattr\ncposix\nsystem\nX\x06\0\0\0__call\x86RX\x04\0\0\0echo\x85R."
    )
    path = with_pickle(tmp_path / "c.pt", chain)
    assert "builtins.getattr, posix.system" in str(refused(path, "could run code"))


def test_names_are_not_taken_apart_at_another_place(tmp_path: Path) -> None:
    path = with_pickle(tmp_path / "c.pt", b"\x80\x02c\ntorch FloatStorage\n)R.")
    refused(path, "could run code")


def test_calls_of_things_that_are_no_functions(tmp_path: Path) -> None:
    """Even if all names are harmless, torch calls only what it knows; the rest is damage."""
    for content in (b"\x80\x02X\x01\0\0\0w)R.", b"\x80\x02}(X\x01\0\0\0w)Rb.", b"\x80\x02NN\x81."):
        refused(with_pickle(tmp_path / "c.pt", content), "truncated|state dict")


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_plain_pickles(tmp_path: Path, protocol: int) -> None:
    path, proof = tmp_path / "bad.pt", tmp_path / "it-ran"
    path.write_bytes(pickle.dumps({"w": Calls(os.mkdir, str(proof))}, protocol))
    refused(path, "could run code" if protocol >= 2 else "not a checkpoint")
    path.write_bytes(pickle.dumps({"w": [1.0, 2.0]}, protocol))
    refused(path, "not a checkpoint|could run code")
    assert not proof.exists()


def test_a_namespace_that_hides_a_call(tmp_path: Path) -> None:
    path, proof = tmp_path / "c.pt", tmp_path / "it-ran"
    args = argparse.Namespace(lr=0.1, hook=Calls(os.mkdir, str(proof)))
    torch.save({"state_dict": {"w": torch.ones(1)}, "args": args}, path)
    refused(path, "could run code")
    assert not proof.exists()


FIELDS = b"K\x03X\x01\0\0\0<N}NK\x08K\x08K\0t"
SCALAR = b"cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n"


@pytest.mark.parametrize(
    ("scalar", "told"),
    [
        # dtype("O") and an object
        (SCALAR + b"X\x02\0\0\0O8\x89\x88\x87R}\x86R", "no number"),
        # dtype("V99999999999") without data: numpy would make room for it
        (SCALAR + b"X\x0c\0\0\0V99999999999\x89\x88\x87R\x85R", "no number"),
        # dtype("U9") and bytes
        (SCALAR + b"X\x02\0\0\0U9\x89\x88\x87RU\x04abcd\x86R", "no number"),
        # dtype("f8") that BUILD would turn into a record with fields
        (
            SCALAR + b"X\x02\0\0\0f8\x89\x88\x87R(K\x03X\x01\0\0\0<N}NK\x08K\x08K\0tbN\x86R",
            "fields",
        ),
        # float64 with four bytes
        (SCALAR + b"X\x02\0\0\0f8\x89\x88\x87RU\x04abcd\x86R", "truncated"),
        # the constructor of a dtype out of a list of fields
        (SCALAR + b"](X\x01\0\0\0aX\x02\0\0\0O8\x86e\x89\x88\x87RN\x86R", "no number"),
    ],
)
def test_numpy_scalars_that_are_no_numbers(tmp_path: Path, scalar: bytes, told: str) -> None:
    path = with_pickle(tmp_path / "c.pt", b"\x80\x02}X\x06\0\0\0metric" + scalar + b"s.")
    refused(path, told)


def test_a_real_object_scalar_of_numpy(tmp_path: Path) -> None:
    path, proof = tmp_path / "c.pt", tmp_path / "it-ran"
    scalar = Calls(np._core.multiarray.scalar, np.dtype("O"), Calls(os.mkdir, str(proof)))
    torch.save({"state_dict": {"w": torch.ones(1)}, "metric": scalar}, path)
    refused(path, "could run code")
    torch.save(
        {"w": torch.ones(1), "m": Calls(np._core.multiarray.scalar, np.dtype("O"), {})}, path
    )
    refused(path, "no number")
    assert not proof.exists()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_torchscript_program(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "m.pt")
    refused(tmp_path / "m.pt", "TorchScript")


# --- sizes --------------------------------------------------------------------------------------


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


# --- other files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["c.pt", "c.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 100, 300])
def test_a_truncated_checkpoint_is_told(tmp_path: Path, name: str, keep: int) -> None:
    path = tmp_path / name
    if name.endswith(".pt"):
        torch.save({"w": torch.ones(200)}, path)
    else:
        save_tensors(path, {"w": torch.ones(200)}, {})
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "truncated")


@pytest.mark.parametrize("new", [True, False])
def test_a_file_cut_anywhere(tmp_path: Path, new: bool) -> None:
    path = tmp_path / "c.pt"
    torch.save({"w": torch.ones(20)}, path, _use_new_zipfile_serialization=new)
    whole = path.read_bytes()
    for keep in range(0, len(whole), 7):
        path.write_bytes(whole[:keep])
        refused(path, "truncated")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["pickle", "torch", "legacy", "safetensors"])
def test_flipped_bytes_are_read_or_refused_but_nothing_else(
    tmp_path: Path, kind: str, seed: int
) -> None:
    path, rng = tmp_path / "c.pt", np.random.default_rng(seed)
    content = {
        "state_dict": {"a": torch.ones(2, 3), "b": torch.ones(4)[1:], "c": torch.tensor(3)},
        "args": argparse.Namespace(lr=0.1, name="x"),
        "metric": np.float64(3),
    }
    if kind == "safetensors":
        save_file({"a": torch.ones(2, 3), "b": torch.ones(4)}, path)
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind != "legacy")
    if kind == "pickle":
        with zipfile.ZipFile(path) as archive:
            whole = archive.read("c/data.pkl")
    else:
        whole = path.read_bytes()
    for _ in range(150):
        flipped = bytearray(whole)
        for place in rng.integers(0, len(whole), size=rng.integers(1, 4)):
            flipped[place] = rng.integers(0, 256)
        if kind == "pickle":
            with_pickle(path, bytes(flipped))
        else:
            path.write_bytes(flipped)
        with contextlib.suppress(FileError):
            weights = read_weights(path).tensors
            assert all(isinstance(value, torch.Tensor) for value in weights.values())


@pytest.mark.parametrize("content", [[1, 2], {}, {"w": "text"}, torch.ones(3), {3: torch.ones(1)}])
def test_a_foreign_file_is_told(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "c.pt")
    refused(tmp_path / "c.pt", "state dict")


def test_a_picture_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "c.pth").write_bytes(b"\x89PNG\r\n" + bytes(500))
    refused(tmp_path / "c.pth", "not a checkpoint")


def test_a_real_tar_archive_is_no_checkpoint(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "c.pth.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    refused(tmp_path / "c.pth.tar", "not a checkpoint")


def test_a_torch_file_by_the_name_of_another_format(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "c.safetensors")
    refused(tmp_path / "c.safetensors", "torch file in spite of its name.*Rename")


def test_sparse_and_quantised_entries(tmp_path: Path) -> None:
    torch.save({"w": torch.eye(3).to_sparse()}, tmp_path / "c.pt")
    refused(tmp_path / "c.pt", "could run code")


# --- indices ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../part", "/etc/passwd", "sub/part", "..", "", 3])
def test_an_index_that_leads_elsewhere(tmp_path: Path, name: object) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_file({"w": torch.ones(1)}, tmp_path / "part")
    (folder / "i.json").write_text(json.dumps({"weight_map": {"w": name}}))
    refused(folder / "i.json", "does not lie beside it")


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', '{"weight_map": []}', "{ no JSON", '{"a":' * 100_000, '{"weight_map": {"w": []}}'],
)
def test_json_that_is_no_index(tmp_path: Path, text: str) -> None:
    (tmp_path / "i.json").write_text(text)
    refused(tmp_path / "i.json", "no index")


@pytest.mark.parametrize("places", [{"v": "part"}, {"w": "part", "v": "part"}, {}])
def test_an_index_that_does_not_agree_with_its_files(
    tmp_path: Path, places: dict[str, str]
) -> None:
    save_file({"w": torch.ones(1), "u": torch.ones(1)}, tmp_path / "part")
    (tmp_path / "i.json").write_text(json.dumps({"weight_map": places}))
    refused(tmp_path / "i.json", "does not agree|empty dictionary|holds a dict")


def test_an_index_whose_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "i.json").write_text(json.dumps({"weight_map": {"w": "part"}}))
    with pytest.raises(FileError, match="part of a checkpoint does not exist") as caught:
        read_weights(tmp_path / "i.json")
    assert caught.value.where == str(tmp_path / "part")
