"""Golden traces: one input, and every spike and output that belongs to it, as `.npz`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.core.files import atomic_path, readable_file
from spikeport.core.npz import checked_member
from spikeport.targets.lowered import Run

GOLDEN = "golden.npz"
_FRAMES, _OUTPUTS, _SPIKES = "frames", "outputs", "spikes."
_LARGEST = 4 * 2**30  # bytes, unpacked


def write_golden(path: Path, frames: Tensor, run: Run) -> None:
    """`frames` and `outputs` as they are, the spikes of neuron N as bool `spikes.N`."""
    arrays = {_FRAMES: frames, _OUTPUTS: run.outputs}
    arrays |= {f"{_SPIKES}{name}": value for name, value in run.spikes.items()}
    values: dict[str, npt.NDArray[np.generic]] = {
        name: value.detach().cpu().numpy() for name, value in arrays.items()
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **values)


def read_golden(path: Path, backend: str) -> tuple[Tensor, Run]:
    """The frames, and the run on them.

    Raises:
        FileError: missing, damaged, or larger than any trace.
    """
    target = readable_file(path, "golden trace")
    try:
        with zipfile.ZipFile(target) as archive:
            members = archive.infolist()
            if sum(entry.file_size for entry in members) > _LARGEST:
                raise ValueError("unpacked it would not fit into memory")
            for entry in members:
                checked_member(target, archive, entry)
        with np.load(target, allow_pickle=False) as stored:
            found = {name: torch.from_numpy(stored[name]) for name in stored.files}
        frames, outputs = found.pop(_FRAMES), found.pop(_OUTPUTS)
        if not all(name.startswith(_SPIKES) for name in found):
            raise ValueError("it holds other arrays than frames, outputs and spikes")
    # What numpy, zipfile and zlib raise for damage is no short list.
    except Exception as error:
        raise FileError(
            f"these golden traces are unusable: {str(error)[:200] or type(error).__name__}.",
            where=str(path),
            fix="Lower the graph again.",
        ) from error
    spikes = {name.removeprefix(_SPIKES): value.bool() for name, value in found.items()}
    return frames, Run(outputs, spikes, backend)
