"""How fast networks follow an event camera: latency of each window, events per second.

The real DAVIS recording (346 x 260, 2.36 s) and, for the digits network, simulated event digits.
The event Max-Former is not trained: its speed does not depend much on its weights, but on how many
neurons fire, which the table tells.

python benchmarks/stream.py [--repeats 3] [--window 20ms] [--target reference,onnx] [--small]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from spikeport import load_model, trace
from spikeport.convert import Graph
from spikeport.streaming import Stream, Summary
from spikeport.targets import stepper
from spikeport.train.data.digits import EventDigits
from spikeport.train.data.recordings import Events
from spikeport.train.data.stream import FileSource
from spikeport.train.models import MODELS, create_model

RECORDING = Path(__file__).parents[1] / "tests" / "golden" / "recordings" / "davis346.aedat4"
_EACH_US = 400_000


class Digits:
    """So many event digits one after the other, simulated events."""

    sensor_size = (32, 32)

    def __init__(self, count: int) -> None:
        self._digits, self._count = EventDigits(None, "test"), count

    def packets(self) -> Iterator[Events]:
        for number in range(self._count):
            events = self._digits[number * len(self._digits) // self._count][0].copy()
            events["t"] += number * _EACH_US - events["t"][0]
            yield events


def digits_network() -> Graph:
    return trace(load_model("max_former_digits"), torch.ones(2, 4, 2, 32, 32),
                 input_domain="graded")  # fmt: skip


def max_former(small: bool) -> Graph:
    torch.manual_seed(0)
    entry = MODELS["max_former_event"]
    options: dict[str, object] = {"dim": 64, "heads": 4} if small else {}
    model = create_model("max_former_event", **options).eval()
    return trace(model, torch.poisson(torch.full((1, 2, *entry.input_shape), 0.3)),
                 input_domain="graded")  # fmt: skip


def main() -> None:
    """Print one line per network, source and target: the run with the lowest median latency."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--window", default="20ms")
    parser.add_argument("--target", default="reference,onnx")
    parser.add_argument("--digits", type=int, default=50, help="digits in the simulated recording")
    parser.add_argument("--small", action="store_true", help="a narrow Max-Former, to try it out")
    given = parser.parse_args()
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    columns = ["windows", "p50 ms", "p95 ms", "max ms", "events/s", "real time", "fire %"]
    widths = [7, 8, 8, 8, 10, 9, 7]
    right = " ".join(f"{name:>{width}s}" for name, width in zip(columns, widths, strict=True))
    print(f"{'network':34s} {'source':24s} {'target':10s} {right}")
    digits, former = digits_network(), max_former(given.small)
    name = "event Max-Former, untrained" + (", narrow" if given.small else "")
    davis, simulated = FileSource(RECORDING), Digits(given.digits)
    state = f"reset:{MODELS['max_former_event'].steps}"
    cases = [
        ("digits Max-Former", digits, "event digits, simulated", simulated, "exact", "gap:50ms"),
        ("digits Max-Former", digits, "DAVIS, downsampled", davis, "downsample", "reset:4"),
        (name, former, "DAVIS, cropped", davis, "crop", state),
        (name, former, "DAVIS, downsampled", davis, "downsample", state),
    ]
    for network, graph, told, source, fit, rule in cases:
        for target in given.target.split(","):
            executor = stepper(graph, target)
            runs = []
            for _ in range(given.repeats + 1):
                stream = Stream(source, executor, given.window, state=rule, fit=fit)
                for _ in stream:
                    pass
                runs.append(stream.summary())
            # The first run warms up.
            best = min(runs[1:], key=lambda each: (each.latency_s or {})["p50"])
            print(f"{network:34s} {told:24s} {target:10s} {_line(best)}")
            sys.stdout.flush()


def _line(run: Summary) -> str:
    assert run.latency_s is not None
    latency = " ".join(f"{1e3 * run.latency_s[name]:8.2f}" for name in ("p50", "p95", "max"))
    rates = np.array([run.events_per_second, run.real_time_factor, 100 * (run.spike_rate or 0)])
    return f"{run.windows:7d} {latency} {rates[0]:10,.0f} {rates[1]:9.2f} {rates[2]:7.2f}"


if __name__ == "__main__":
    main()
