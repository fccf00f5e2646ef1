"""How often a model is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.core.progress import track
from spikeport.train.data import FrameDataset

if TYPE_CHECKING:
    from spikeport.train.engines import Engine
    from spikeport.train.samples import Samples


def accuracy(model: nn.Module, data: FrameDataset, *, batch_size: int = 250) -> float:
    """Share of the recordings in `data` for which the highest score is that of the label.

    The model is put into eval mode and left in the mode it was in.
    """
    training = model.training
    model.eval()
    correct = 0
    with torch.no_grad():
        batches = -(-len(data) // batch_size)
        for frames, labels in track(data.batches(batch_size), "Evaluating", batches):
            correct += _right(model, frames, labels)
    model.train(training)
    return correct / len(data)


def shared_accuracy(model: nn.Module, samples: Samples, engine: Engine, loaders: int = 0) -> float:
    """`accuracy` on samples that the processes of an engine share out; all get the same answer."""
    training = model.training
    model.eval().to(engine.device)
    mine = np.arange(engine.rank, len(samples), engine.processes)
    correct = 0
    with torch.no_grad():
        for frames, labels in track(samples.batches(mine, loaders=loaders), "Evaluating"):
            correct += _right(model, frames.to(engine.device), labels.to(engine.device))
    model.train(training)
    return engine.reduce([float(correct)])[0] / len(samples)


def _right(model: nn.Module, frames: Tensor, labels: Tensor) -> int:
    return int((model(frames).argmax(1) == labels).sum())
