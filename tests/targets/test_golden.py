"""Golden traces: what is read is what was written, and damage is told."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeport.core.errors import FileError
from spikeport.targets.artefact.golden import read_golden, write_golden
from spikeport.targets.lowered import Run


def written(folder: Path) -> tuple[Path, torch.Tensor, Run]:
    frames = torch.randn(4, 2, 300, generator=torch.Generator().manual_seed(0))
    run = Run(frames.mean(0), {"lif": frames > 1}, "integer")
    write_golden(folder / "golden.npz", frames, run)
    return folder / "golden.npz", frames, run


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path, frames, run = written(tmp_path)
    read, found = read_golden(path, "integer")
    assert torch.equal(read, frames) and torch.equal(found.outputs, run.outputs)
    assert torch.equal(found.spikes["lif"], run.spikes["lif"])


@pytest.mark.parametrize("shape", [(1 << 44,), (3,)])
def test_a_header_that_promises_something_else_takes_no_memory(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    path = tmp_path / "golden.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("frames.npy", header.getvalue() + bytes(64))
    with pytest.raises(FileError, match=r"unusable: frames\.npy does not hold"):
        read_golden(path, "integer")


def test_a_stream_that_cannot_be_unpacked_is_told(tmp_path: Path) -> None:
    path, *_ = written(tmp_path)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("frames.npy")
    content = bytearray(path.read_bytes())
    lengths = struct.unpack_from("<2H", content, member.header_offset + 26)
    # The first block of the stream is of a kind that there is not.
    content[member.header_offset + 30 + sum(lengths)] = 0b111
    path.write_bytes(content)
    with pytest.raises(FileError, match="unusable: Error -3 while decompressing"):
        read_golden(path, "integer")


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "golden.npz"
    np.savez(path, frames=np.zeros(2), outputs=np.zeros(2), more=np.zeros(2))
    with pytest.raises(FileError, match="other arrays"):
        read_golden(path, "integer")
