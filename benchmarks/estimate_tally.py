"""What counting costs: a forward pass with the tally over the pass alone, as JSON.

    python benchmarks/estimate_tally.py [--batch 8] [--repeats 9] [--threads 1]

CIFAR Max-Former, T = 4. Beside it SpikingJelly's `SynOpCounter` and NeuroBench's
`SynapticOperations` on the same network, over the plain pass of that network in PyTorch. Runs
alternate, so that a machine that slows down does so for all; ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from neurobench.metrics.workload import SynapticOperations
from neurobench.models import TorchModel
from spikingjelly.activation_based.op_counter import DispatchCounterMode, SynOpCounter
from torch import Tensor, nn

from spikeport.convert import Interpreter, trace
from spikeport.estimate import Tally
from spikeport.train.models import create_model

MODEL = "max_former_cifar"


def lively(model: nn.Module) -> nn.Module:
    """Without training deep layers stay silent."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.constant_(module.weight, 2.0)
            nn.init.constant_(module.bias, 0.7)
    return model.eval()


def runs(batch: int) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    torch.manual_seed(0)
    model, frames = lively(create_model(MODEL)), torch.randn(batch, 3, 32, 32)
    executor = Interpreter(trace(model, frames[:2]))
    tally = Tally(executor.graph)

    @torch.no_grad()
    def counted_by_spikingjelly() -> Tensor:
        with DispatchCounterMode([SynOpCounter()]):
            result: Tensor = model(frames)
        return result

    @torch.no_grad()
    def counted_by_neurobench() -> dict[str, float]:
        watched, metric = TorchModel(model), SynapticOperations()
        watched.register_hooks()
        try:
            found: dict[str, float] = metric(watched, watched(frames), (frames, None))
        finally:
            watched.cleanup_hooks()
        return found

    return {
        "interpreter": lambda: executor.run(frames),
        "interpreter_with_tally": lambda: tally.run(executor, frames),
        "pytorch": torch.no_grad()(lambda: model(frames)),
        "pytorch_with_spikingjelly_counter": counted_by_spikingjelly,
        "pytorch_with_neurobench": counted_by_neurobench,
    }


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {"batch": 8, "repeats": 9, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    # With several threads a busy machine makes them wait for each other, and ratios jump.
    torch.set_num_threads(options.threads)
    timed = runs(options.batch)
    for run in timed.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(options.repeats):
        for name, run in timed.items():
            taken[name].append(seconds(run))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    plain = medians["pytorch"]
    result = {
        "benchmark": "estimate_tally",
        "model": MODEL,
        **vars(options),
        "torch": torch.__version__,
        "median_seconds": medians,
        "tally_ratio": medians["interpreter_with_tally"] / medians["interpreter"],
        "spikingjelly_ratio": medians["pytorch_with_spikingjelly_counter"] / plain,
        "neurobench_ratio": medians["pytorch_with_neurobench"] / plain,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
