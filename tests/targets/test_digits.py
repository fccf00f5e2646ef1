"""The trained network that comes with Spikeport, on its whole test split."""

from __future__ import annotations

import time

import pytest
import torch

from spikeport.convert import Interpreter, trace
from spikeport.targets.lava import IntegerExecutor, compare, lower, record, run_in_process
from spikeport.train.checkpoint import load_model
from spikeport.train.data.named import open_data

POINTS_LOST = 0.5
SECONDS = 30
"""Far above what it takes; a slip to float64 or to single samples would exceed it."""


def frames_of(split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    data = open_data("digits", split, steps=4)
    frames = torch.from_numpy(data.frames[:count].astype("float32")).transpose(0, 1)
    return frames.contiguous(), torch.from_numpy(data.labels[:count])


@pytest.mark.slow
def test_trained_digits():
    calibration, _ = frames_of("train", 128)
    frames, labels = frames_of("test", 1000)
    model = load_model("max_former_digits")
    graph = trace(model, calibration[:, :2].transpose(0, 1), input_domain="graded")
    artefact = lower(graph, calibration)
    assert artefact.graph.metadata["lava"]["float32_exact"]

    started = time.monotonic()
    got = artefact.executor().run(frames)
    assert time.monotonic() - started < SECONDS
    want = Interpreter(graph).run(frames)
    right = [float((scores.argmax(1) == labels).double().mean()) for scores in (got, want)]
    assert right[1] > 0.9
    assert right[1] - right[0] <= POINTS_LOST / 100

    few = frames[:, :20]
    result = compare(
        record(IntegerExecutor(artefact.graph, check_values=True), few),
        run_in_process(artefact.graph, few),
    )
    result.require()
    assert not result.silent
