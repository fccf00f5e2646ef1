"""What fine-tuning in fixed point recovers of the accuracy that few weight bits cost; prints JSON.

    python benchmarks/lava_qat.py [--bits 4] [--steps 80] [--test 1000] [--threads 2]

The shipped digits network is lowered after training (ptq) and then tuned on recordings of the train
split (qat). Both are judged by the integer executor on the 1,000 held-out digits.
"""

from __future__ import annotations

import argparse
import json
import time

import torch
from torch import Tensor
from torch.nn import functional

from spikeport.convert import Interpreter, trace
from spikeport.targets.lava import lower
from spikeport.targets.lava.qat import QatNetwork, to_qat
from spikeport.train.checkpoint import load_model
from spikeport.train.data import open_data

CALIBRATION = slice(0, None, 20)
BATCH = 32


def recordings(split: str) -> tuple[Tensor, Tensor]:
    """Frames `[T, B, C, H, W]` and labels."""
    data = open_data("digits", split, steps=4)
    frames = torch.from_numpy(data.frames.astype("float32")).transpose(0, 1).contiguous()
    return frames, torch.from_numpy(data.labels)


def top1(outputs: Tensor, labels: Tensor) -> float:
    return float((outputs.argmax(1) == labels).double().mean())


def tune(network: QatNetwork, frames: Tensor, labels: Tensor, steps: int, rate: float) -> None:
    """Adam, its rate falling to zero as a cosine, on batches drawn from all recordings."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    random = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(labels), (BATCH,), generator=random)
        loss = functional.cross_entropy(network(frames[:, chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--test", type=int, default=1000, help="held-out digits to judge by")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train, train_labels = recordings("train")
    test, test_labels = recordings("test")
    spread = slice(0, None, max(1, len(test_labels) // given.test))
    test, test_labels = test[:, spread], test_labels[spread]
    calibration = train[:, CALIBRATION]
    sample = calibration[:, :2].transpose(0, 1)
    graph = trace(load_model("max_former_digits"), sample, input_domain="graded")
    before = lower(graph, calibration, weight_bits=given.bits)
    network = to_qat(graph, calibration, weight_bits=given.bits)
    started = time.perf_counter()
    tune(network, train, train_labels, given.steps, given.rate)
    seconds = time.perf_counter() - started
    results = {
        "weight_bits": given.bits,
        "steps": given.steps,
        "batch": BATCH,
        "test": len(test_labels),
        "seconds": round(seconds, 1),
        "float": top1(Interpreter(graph).run(test), test_labels),
        "ptq": top1(before.integer(test).outputs, test_labels),
        "qat": top1(network.lowered().integer(test).outputs, test_labels),
    }
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
