"""Samples per second from disk: Spikeport's memory-mapped frames beside Tonic's DiskCachedDataset.

    python benchmarks/data_loading.py [--samples 500] [--batch 16] [--loaders 0 1 2] [--size 128]

Event digits (simulated events), framed to T = 16; `--size 128` spreads them over 128 x 128 pixels,
the size of CIFAR10-DVS and DVS128 Gesture. Both caches are filled before anything is timed, and
every way gives float32 batches [B, T, 2, H, W] through torch's DataLoader in the same random order
(Spikeport's loop makes them of bytes once they have left the loading processes, and so here).
Tonic's frames are compressed HDF5 (its default) or not. Prints JSON; each rate is the median of
three passes. Frames lie in the page cache of the system, as they do from the second epoch on of
data that fit into memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tonic import DiskCachedDataset
from torch.utils.data import DataLoader, Dataset

from spikeport.train.data import FrameDataset
from spikeport.train.data.digits import EventDigits
from spikeport.train.data.framed import Source, framed
from spikeport.train.data.frames import to_frames
from spikeport.train.recipe import AugmentRecipe
from spikeport.train.samples import Drawn, FrameSamples, start_loader

STEPS = 16
PASSES = 3


class Spread(Dataset[tuple[NDArray[Any], int]]):
    """Digits whose pixels lie `factor` apart, as events or as frames."""

    def __init__(self, samples: int, size: int, *, as_frames: bool) -> None:
        self.digits, self.samples, self.as_frames = EventDigits(split="train"), samples, as_frames
        self.size, self.factor = size, size // 32

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> tuple[NDArray[Any], int]:
        if index >= self.samples:
            raise IndexError(index)
        events, label = self.digits[index]
        events = events.copy()
        for axis in "xy":
            events[axis] *= self.factor
        if not self.as_frames:
            return events, label
        return to_frames(events, (self.size, self.size, 2), STEPS, "count"), label


class AsFloat(Dataset[tuple[torch.Tensor, int]]):
    """What a network reads, from any of Tonic's data sets."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        frames, label = self.data[index]
        return torch.from_numpy(np.asarray(frames).astype(np.float32)), int(label)


def memory_mapped(folder: Path, samples: int, size: int) -> FrameSamples:
    """Spikeport's own: one array of all frames, mapped from disk."""
    raw = Spread(samples, size, as_frames=False)
    source = Source([str(index) for index in range(samples)], lambda index: (raw[index][0], ()))
    found = framed(folder, {"size": size}, source, (size, size, 2), STEPS, "count")
    labels = np.array(raw.digits.targets[:samples])
    classes = tuple(raw.digits.classes)
    data = FrameDataset("digits", raw.digits.provenance, classes, found.frames, labels)
    return FrameSamples("digits", "", np.arange(samples), labels, data, AugmentRecipe())


def tonic_cached(folder: Path, samples: int, size: int, *, compress: bool) -> Dataset[Any]:
    """Tonic's: a file for each sample."""
    raw: Any = Spread(samples, size, as_frames=True)
    cached = DiskCachedDataset(raw, cache_path=str(folder), compress=compress)
    for index in range(samples):
        cached[index]
    return AsFloat(cached)


def rate(data: Dataset[Any], order: list[Any], batch: int, loaders: int) -> float:
    """Samples per second, median of the passes; starting the loaders is not in it."""
    rates = []
    batches = [order[start : start + batch] for start in range(0, len(order), batch)]
    loader = DataLoader(
        data,
        batch_sampler=batches,
        num_workers=loaders,
        worker_init_fn=start_loader,
        persistent_workers=loaders > 0,
    )
    for _ in loader:
        pass
    for _ in range(PASSES):
        begun, seen = time.perf_counter(), 0
        for frames, _ in loader:
            seen += len(frames.float())
        rates.append(seen / (time.perf_counter() - begun))
    return round(statistics.median(rates), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--loaders", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--size", type=int, default=128, help="a multiple of 32")
    given = parser.parse_args()
    torch.set_num_threads(1)
    places = np.random.default_rng(0).permutation(given.samples).tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = memory_mapped(folder / "mapped", given.samples, given.size)
        # Keys of (epoch, sample): random numbers of a sample do not depend on who reads it.
        ways: dict[str, tuple[Callable[[], Dataset[Any]], list[Any]]] = {
            "spikeport, memory-mapped": (lambda: Drawn(ours, 0), [(0, place) for place in places]),
            "tonic, DiskCachedDataset": (
                lambda: tonic_cached(folder / "gzip", given.samples, given.size, compress=True),
                places,
            ),
            "tonic, DiskCachedDataset, uncompressed": (
                lambda: tonic_cached(folder / "plain", given.samples, given.size, compress=False),
                places,
            ),
        }
        rates = {}
        for way, (open_way, order) in ways.items():
            data = open_way()
            rates[way] = {
                f"{loaders} loaders": rate(data, order, given.batch, loaders)
                for loaders in given.loaders
            }
        sizes = {
            part.name: round(sum(f.stat().st_size for f in part.rglob("*") if f.is_file()) / 1e6, 1)
            for part in folder.iterdir()
        }
    report = {
        "data": f"simulated events, {given.samples} samples [16, 2, {given.size}, {given.size}]",
        "batch": given.batch,
        "cores": os.cpu_count(),
        "samples_per_second": rates,
        "megabytes_on_disk": sizes,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
