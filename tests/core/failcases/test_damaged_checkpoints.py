"""Files that are damaged, foreign, or do not belong together."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files import refused, with_pickle
from safetensors.torch import save_file

from spikeport.core.checkpoint import read_weights
from spikeport.core.errors import FileError
from spikeport.core.tensors import save_tensors


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
