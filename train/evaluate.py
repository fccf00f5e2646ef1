"""How often a model is right."""

from __future__ import annotations

import torch
from torch import nn

from spikeport.core.progress import track
from spikeport.train.data import FrameDataset


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
            correct += int((model(frames).argmax(1) == labels).sum())
    model.train(training)
    return correct / len(data)
