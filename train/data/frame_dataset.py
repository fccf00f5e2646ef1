"""What models are trained and evaluated on: frames with labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from spikeport.train.data.frames import Counts
from spikeport.train.data.recordings import RawEvents


@dataclass(frozen=True)
class FrameDataset(Dataset[tuple[Tensor, int]]):
    """Labelled frames: `(frames [T, C, H, W] float32, label)` by index.

    Attributes:
        name: the specification it was opened with, and the split.
        provenance: where the data come from; reports print it.
        classes: names of the classes.
        frames: all event counts, `[N, T, C, H, W]` unsigned integers.
        labels: `[N]`.
        input_domain: "graded", as counts are whole numbers but no spikes.
        skipped: bad recordings that were left out on request, and why.
        repaired: recordings that were read after a repair, and which.
        events: the recordings that the frames were made of, by the same index; None if there are
            none.
    """

    name: str
    provenance: str
    classes: tuple[str, ...]
    frames: Counts
    labels: NDArray[np.int64]
    input_domain: Literal["graded"] = "graded"
    skipped: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    events: RawEvents | None = None

    @property
    def frame_shape(self) -> tuple[int, int, int, int]:
        """Shape of one sample, (T, C, H, W)."""
        steps, channels, height, width = self.frames.shape[1:]
        return steps, channels, height, width

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.from_numpy(self.frames[index].astype(np.float32)), int(self.labels[index])

    def batches(self, size: int, limit: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `(frames [B, T, C, H, W] float32, labels [B])` in order, up to `limit` samples."""
        end = len(self) if limit is None else min(limit, len(self))
        for start in range(0, end, size):
            span = slice(start, min(start + size, end))
            frames = torch.from_numpy(self.frames[span].astype(np.float32))
            yield frames, torch.from_numpy(self.labels[span])
