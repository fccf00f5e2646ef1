"""The trained networks and recordings for them, few of them."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert import Graph, trace
from spikeport.train.checkpoint import load_model
from spikeport.train.data import open_data


def recordings(split: str, count: int) -> tuple[Tensor, Tensor]:
    """Frames `[T, B, C, H, W]` and labels, spread over the split."""
    data = open_data("digits", split, steps=4)
    chosen = slice(0, None, len(data) // count)
    frames = torch.from_numpy(data.frames[chosen].astype("float32")).transpose(0, 1)
    return frames[:, :count].contiguous(), torch.from_numpy(data.labels[chosen])[:count]


def digits(
    train: int, test: int, name: str = "max_former_digits"
) -> tuple[Graph, Tensor, Tensor, Tensor]:
    """Float graph, calibration frames, test frames, test labels."""
    calibration, _ = recordings("train", train)
    frames, labels = recordings("test", test)
    sample = calibration[:, :2].transpose(0, 1)
    graph = trace(load_model(name), sample, input_domain="graded")
    return graph, calibration, frames, labels
