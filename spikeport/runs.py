"""A graph together with the data that it is to see."""

from __future__ import annotations

import hashlib
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from spikeport.core.errors import UsageError
from spikeport.core.notes import note
from spikeport.core.progress import track
from spikeport.sources import open_frames, open_graph

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Graph
    from spikeport.train.data import FrameDataset

DEFAULT_STEPS = 4
BATCH = 100
CALIBRATION_SAMPLES = 200
"""Recordings of the training split that scales are chosen by."""


@dataclass(frozen=True)
class RunChoice:
    """A network and the recordings that it is to see.

    Attributes:
        model: graph file, model name, or `package.module:factory`.
        data, split, framing: recordings, and how they are cut into frames.
        checkpoint: file of its weights; those that come with the model by default.
        samples: how many recordings, spread evenly; all by default.
        steps: T; the model's own by default.
        skip_bad: whether recordings that cannot be read are left out.
    """

    model: str
    data: str = "digits"
    checkpoint: Path | None = None
    split: str = "test"
    samples: int | None = None
    steps: int | None = None
    framing: str = "count"
    skip_bad: bool = False


@dataclass(frozen=True)
class Run:
    """A graph and the recordings it is run on.

    Attributes:
        samples: how many of the recordings are used, spread evenly: they may be sorted by class.
        framing: how the recordings were cut into frames.
        skip_bad: whether recordings that cannot be read are left out.
    """

    graph: Graph
    data: FrameDataset
    samples: int
    framing: str = "count"
    skip_bad: bool = False

    def batches(self, what: str) -> Iterator[tuple[Tensor, Tensor]]:
        """(frames `[T, B, C, H, W]`, labels `[B]`), with a progress bar."""
        import torch

        chosen = spread(len(self.data), self.samples)
        parts = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
        for part in track(parts, what):
            yield stack(self.data, part), torch.from_numpy(self.data.labels[part])

    def shared_out(self) -> RunBatches:
        """The same batches, with indices."""
        return RunBatches(self.data, spread(len(self.data), self.samples))

    def calibration(self) -> Tensor:
        """Frames `[T, B, C, H, W]` of the training split: what is tested must not set scales."""
        spec, _, _ = self.data.name.rpartition("/")
        steps = self.data.frame_shape[0]
        train = open_frames(spec, "train", steps, self.framing, skip_bad=self.skip_bad)
        return stack(train, spread(len(train), CALIBRATION_SAMPLES))


class Batches(ABC, Sequence["tuple[Tensor, Tensor, list[int]]"]):
    """Batches of (input of an executor, labels `[B]`, places in the data), read when asked for: a
    sequence that several processes can share.

    Attributes:
        chosen: places of the samples, in order.
    """

    chosen: list[int]

    @abstractmethod
    def read(self, places: list[int]) -> tuple[Tensor, Tensor]:
        """Input and labels of one batch."""

    def __len__(self) -> int:
        return -(-len(self.chosen) // BATCH)

    @overload
    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, list[int]]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Tensor, Tensor, list[int]]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        part = self.chosen[index * BATCH : (index + 1) * BATCH]
        return *self.read(part), part


@dataclass(frozen=True)
class RunBatches(Batches):
    """Of recordings: frames `[T, B, C, H, W]`."""

    data: FrameDataset
    chosen: list[int]

    def read(self, places: list[int]) -> tuple[Tensor, Tensor]:
        import torch

        return stack(self.data, places), torch.from_numpy(self.data.labels[places])

    def digest(self) -> str:
        """SHA-256 of the chosen frames and labels."""
        state = hashlib.sha256()
        for index in self.chosen:
            state.update(self.data.frames[index].tobytes())
            state.update(str(self.data.labels[index]).encode())
        return state.hexdigest()


def command_line() -> str:
    """What this process was called with: stands in results, so that they can be had again."""
    return shlex.join(["spikeport", *sys.argv[1:]])


def spread(count: int, chosen: int) -> list[int]:
    """Indices spread evenly, so that data sorted by class give many classes."""
    chosen = min(chosen, count)
    return [index * count // chosen for index in range(chosen)]


def stack(data: FrameDataset, indices: list[int]) -> Tensor:
    """Chosen recordings as one batch, `[T, B, C, H, W]`."""
    import numpy as np
    import torch

    return torch.from_numpy(data.frames[indices].swapaxes(0, 1).astype(np.float32, order="C"))


def open_run(chosen: RunChoice) -> Run:
    """Open the data and the graph, and check that they fit.

    Raises:
        SpikeportError: a name is unknown, a file is bad, or frames and graph differ in size.
    """
    model, data, samples = chosen.model, chosen.data, chosen.samples
    steps = chosen.steps or _steps_of(model)
    frames = open_frames(data, chosen.split, steps, chosen.framing, skip_bad=chosen.skip_bad)
    if samples is not None and samples > len(frames):
        raise UsageError(
            f"{samples} samples were asked for, {data} has {len(frames)} in split {chosen.split}.",
            where="--samples",
            fix="Ask for fewer, or leave the option out for all.",
        )
    sample = stack(frames, list(range(min(2, len(frames))))).transpose(0, 1)
    graph = open_graph(model, chosen.checkpoint, sample, frames.input_domain)
    shape = frames.frame_shape[1:]
    if graph.input.shape != shape or not graph.input.per_step:
        raise UsageError(
            f"the graph reads {list(graph.input.shape)}, the frames of {data} are {list(shape)}.",
            where=model,
            fix="Use data of that size, or trace the model for this one.",
        )
    if graph.input.domain != frames.input_domain and graph.input.domain == "real":
        note(
            f"{model} was traced for real input, but {data} gives {frames.input_domain} frames, so "
            "its first layer is counted as MACs. If that is not meant, trace it with "
            f"--domain {frames.input_domain}."
        )
    return Run(graph, frames, samples or len(frames), chosen.framing, chosen.skip_bad)


def _steps_of(model: str) -> int:
    from spikeport.train.models import MODELS

    return MODELS[model].steps if model in MODELS else DEFAULT_STEPS
