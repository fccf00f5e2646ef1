"""What an evaluation adds to the network itself, as JSON.

    python benchmarks/evaluate_throughput.py [--samples 1000] [--batch 100] [--repeats 5]

Reading the batches and running the executor on them, nothing else, against `evaluate` on the same
batches: accuracy alone, and with the curve over steps and with energy beside it. Networks: the
digits network on its test recordings (simulated events), and the event Max-Former (T 16, 128 x
128, fresh weights) on random event counts, few samples of it. Runs alternate, so that a machine
that slows down does so for all; ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from spikeport.convert import trace
from spikeport.estimate import evaluate
from spikeport.runs import RunChoice, open_run, spread, stack
from spikeport.targets.reference import ReferenceExecutor
from spikeport.train.data import FrameDataset
from spikeport.train.models import create_model

DIGITS, EVENTS = "max_former_digits", "max_former_event"


class Recordings(Sequence[tuple[Tensor, Tensor]]):
    """Batches as `spikeport evaluate` reads them."""

    def __init__(self, data: FrameDataset, samples: int, batch: int) -> None:
        chosen = spread(len(data), samples)
        self.data = data
        self.parts = [chosen[start : start + batch] for start in range(0, len(chosen), batch)]

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        part = self.parts[index]
        return stack(self.data, part), torch.from_numpy(self.data.labels[part])


class Random(Sequence[tuple[Tensor, Tensor]]):
    """Event counts of 128 x 128 pixels."""

    def __init__(self, samples: int, batch: int) -> None:
        self.sizes = [min(batch, samples - start) for start in range(0, samples, batch)]

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        make, size = torch.Generator().manual_seed(index), self.sizes[index]
        frames = torch.poisson(torch.full((16, size, 2, 128, 128), 0.1), generator=make)
        return frames, torch.zeros(size, dtype=torch.int64)


def runs(
    executor: ReferenceExecutor, batches: Sequence[tuple[Tensor, Tensor]]
) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""

    def bare() -> None:
        for frames, _ in (batches[index] for index in range(len(batches))):
            executor.run(frames)

    named = {"reference": executor}
    return {
        "executor": bare,
        "evaluate": lambda: evaluate(named, batches),
        "evaluate_curve": lambda: evaluate(named, batches, curve=True),
        "evaluate_curve_energy": lambda: evaluate(
            named, batches, curve=True, energy="horowitz45-fp32"
        ),
    }


def timed(calls: dict[str, Callable[[], object]], repeats: int, samples: int) -> dict[str, object]:
    """Median seconds of each, samples per second, and the time over that of the executor."""
    for run in calls.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, run in calls.items():
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return {
        "samples": samples,
        "median_seconds": medians,
        "samples_per_second": {name: samples / each for name, each in medians.items()},
        "over_executor": {name: each / medians["executor"] for name, each in medians.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    defaults = {"samples": 1000, "batch": 100, "repeats": 5, "events": 4}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    opened = open_run(RunChoice(DIGITS))
    digits = runs(
        ReferenceExecutor(opened.graph), Recordings(opened.data, options.samples, options.batch)
    )
    torch.manual_seed(0)
    sample = torch.ones(2, 16, 2, 128, 128)
    graph = trace(create_model(EVENTS).eval(), sample, input_domain="graded")
    events = runs(ReferenceExecutor(graph), Random(options.events, 1))
    result = {
        "benchmark": "evaluate_throughput",
        **vars(options),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        DIGITS: timed(digits, options.repeats, options.samples),
        EVENTS: timed(events, options.repeats, options.events),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
