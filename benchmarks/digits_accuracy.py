"""Accuracy of the shipped digits network on several simulations: float, and fixed point by width.

    python benchmarks/digits_accuracy.py

The 1,000 held-out images are the same; each seed is another sensor, another path, other noise. The
network's own figure is that of seed 0. Widths are lowered with and without the search for weights
(`LoweringOptions.search`). Prints JSON.
"""

from __future__ import annotations

import itertools
import json

import torch

from spikeport.convert import Executor, Interpreter, trace
from spikeport.estimate import accuracy
from spikeport.estimate.paired import paired
from spikeport.targets.lava import lower
from spikeport.train.checkpoint import load_model
from spikeport.train.data import FrameDataset, open_data

SEEDS = (0, 1, 2, 3, 4, 5)
CALIBRATION = slice(0, None, 20)
BITS = (4, 6, 8, 12)
SEARCHES = ("none", "weights")


def frames(data: FrameDataset, chosen: slice) -> torch.Tensor:
    """`[T, B, C, H, W]`."""
    return torch.from_numpy(data.frames[chosen].astype("float32")).transpose(0, 1).contiguous()


def main() -> None:
    calibration = frames(open_data("digits", "train", steps=4), CALIBRATION)
    sample = calibration[:, :2].transpose(0, 1)
    graph = trace(load_model("max_former_digits"), sample, input_domain="graded")
    executors: dict[str, Executor] = {"float": Interpreter(graph)}
    for bits, search in itertools.product(BITS, SEARCHES):
        artefact = lower(graph, calibration, weight_bits=bits, search=search)
        executors[f"{bits} bits, search {search}"] = artefact.executor()
    results = []
    for seed in SEEDS:
        data = open_data("digits", "test", steps=4, seed=seed)
        batches = [(x.transpose(0, 1), y) for x, y in data.batches(250)]
        judged = {name: accuracy(executor, batches) for name, executor in executors.items()}
        first = judged["float"]
        results.append(
            {
                "simulation": seed,
                "networks": {
                    name: {
                        "accuracy": result.top1,
                        "interval": result.interval,
                        "same class": result.same(first).value,
                        "p": paired(first.hits, result.hits).p_value,
                    }
                    for name, result in judged.items()
                },
            }
        )
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
