"""The trained network that comes with Spikeport, on its whole test split."""

from __future__ import annotations

import time

import pytest
import torch

from spikeport.convert import Interpreter, trace
from spikeport.targets.lava import IntegerExecutor, lower, run_in_process
from spikeport.targets.lowered import run_executor
from spikeport.targets.parity import compare
from spikeport.train.checkpoint import load_model
from spikeport.train.data.named import open_data

POINTS = 0.005
"""By how much fixed point may be right less often than float on these 1,000 samples. Other
simulations of the sensor move the figure by half a point either way: the agreement says more."""
AGREEMENT = 0.985
"""Share of the samples that fixed point must put into the float network's class."""
SECONDS = 30
"""Far above what it takes; a slip to float64 or to single samples would exceed it."""


def frames_of(split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` recordings spread over the split, which is sorted by class."""
    data = open_data("digits", split, steps=4)
    chosen = slice(0, None, len(data) // count)
    frames = torch.from_numpy(data.frames[chosen].astype("float32")).transpose(0, 1)
    return frames.contiguous(), torch.from_numpy(data.labels[chosen])


@pytest.mark.slow
def test_trained_digits():
    calibration, _ = frames_of("train", 200)
    frames, labels = frames_of("test", 1000)
    model = load_model("max_former_digits")
    graph = trace(model, calibration[:, :2].transpose(0, 1), input_domain="graded")
    artefact = lower(graph, calibration)
    executor = artefact.executor()
    assert {"int8 convolution", "C, fused over time"} <= {row.kernel for row in executor.kernels}

    started = time.monotonic()
    got = executor.run(frames)
    assert time.monotonic() - started < SECONDS
    want = Interpreter(graph).run(frames)
    right = [float((scores.argmax(1) == labels).double().mean()) for scores in (want, got)]
    assert right[1] >= right[0] - POINTS > 0.97
    assert float((got.argmax(1) == want.argmax(1)).double().mean()) >= AGREEMENT

    few = frames[:, ::50]
    result = compare(
        run_executor(IntegerExecutor(artefact.graph, check_values=True), few, "integer"),
        run_in_process(artefact.graph, few),
    )
    result.require()
    assert not result.silent
