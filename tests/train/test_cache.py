"""Computed once, kept whole, rebuilt when damaged."""

from __future__ import annotations

import logging
import multiprocessing
import time
from pathlib import Path

import pytest
import torch

from spikeport.core.errors import FileError
from spikeport.train.data.cache import cached_tensors


def _build() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(1000), "b": torch.tensor([True])}


def _unwanted() -> dict[str, torch.Tensor]:
    raise AssertionError("built although it was there")


def test_built_once_for_the_same_settings(tmp_path: Path) -> None:
    first = cached_tensors(tmp_path, "x", {"seed": 1}, _build)
    again = cached_tensors(tmp_path, "x", {"seed": 1}, _unwanted)
    assert torch.equal(first["a"], again["a"])
    with pytest.raises(AssertionError):
        cached_tensors(tmp_path, "x", {"seed": 2}, _unwanted)


@pytest.mark.parametrize("damage", ["cut", "flip", "foreign"])
def test_damaged_file_is_told_and_rebuilt(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cached_tensors(tmp_path, "x", {}, _build)
    (path,) = tmp_path.glob("*.safetensors")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-100:]
    elif damage == "flip":
        data[-100] ^= 1
    else:
        data[:] = b"not a tensor file"
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        again = cached_tensors(tmp_path, "x", {}, _build)
    assert torch.equal(again["a"], _build()["a"])
    assert "built again" in caplog.text
    cached_tensors(tmp_path, "x", {}, _unwanted)


def _slow_worker(folder: Path, log: Path) -> None:
    def build() -> dict[str, torch.Tensor]:
        with log.open("a") as file:
            file.write("built\n")
        time.sleep(0.3)
        return _build()

    cached_tensors(folder, "x", {}, build)


def test_several_processes_build_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_slow_worker, args=(tmp_path, log)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text() == "built\n"


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(FileError, match="SPIKEPORT_CACHE"):
        cached_tensors(blocker / "cache", "x", {}, _build)


def test_errors_of_building_are_not_told_as_the_folders(tmp_path: Path) -> None:
    def build() -> dict[str, torch.Tensor]:
        raise FileNotFoundError(2, "No such file", "a source")

    with pytest.raises(FileNotFoundError, match="a source"):
        cached_tensors(tmp_path, "x", {}, build)
