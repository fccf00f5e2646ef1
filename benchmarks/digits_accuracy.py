"""Accuracy of the shipped digits network, float and fixed point, on several simulations.

    python benchmarks/digits_accuracy.py

The 1,000 held-out images are the same; each seed is another sensor, another path, other noise. The
network's own figure is that of seed 0. Prints JSON.
"""

from __future__ import annotations

import json

import torch

from spikeport.convert import Interpreter, trace
from spikeport.estimate import accuracy
from spikeport.targets.lava import lower
from spikeport.train.checkpoint import load_model
from spikeport.train.data import FrameDataset, open_data

SEEDS = (0, 1, 2, 3, 4, 5)
CALIBRATION = slice(0, None, 20)


def frames(data: FrameDataset, chosen: slice) -> torch.Tensor:
    """`[T, B, C, H, W]`."""
    return torch.from_numpy(data.frames[chosen].astype("float32")).transpose(0, 1).contiguous()


def main() -> None:
    calibration = frames(open_data("digits", "train", steps=4), CALIBRATION)
    sample = calibration[:, :2].transpose(0, 1)
    graph = trace(load_model("max_former_digits"), sample, input_domain="graded")
    executors = {
        "float": Interpreter(graph),
        "fixed point": lower(graph, calibration).executor(),
    }
    results = []
    for seed in SEEDS:
        data = open_data("digits", "test", steps=4, seed=seed)
        batches = [(x.transpose(0, 1), y) for x, y in data.batches(250)]
        judged = {name: accuracy(executor, batches) for name, executor in executors.items()}
        same = sum(
            a == b
            for a, b in zip(
                judged["float"].predictions, judged["fixed point"].predictions, strict=True
            )
        )
        results.append(
            {
                "simulation": seed,
                **{name: result.top1 for name, result in judged.items()},
                "same class": same / len(data),
            }
        )
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
