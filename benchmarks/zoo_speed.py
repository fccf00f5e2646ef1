"""A network of the zoo against the same network with SpikingJelly's own neurons.

Same weights, same input, same threads, alternating in one process. Neither side is tuned down: both
convolve a static image once, and SpikingJelly's side runs in both layouts: contiguous, as torch
lays out feature maps by itself, and channels last, as ours does. `limit` is what our network takes
when its neurons cost nothing (a threshold of the current, one read and one write): fused neurons
cannot beat that.

    python benchmarks/zoo_speed.py --model max_former_cifar --batch 8 [--train]
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable

import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from spikeport.train.models import MODELS, base, create_model


class Threshold(nn.Module):
    """Stands for neurons that cost as little as can be."""

    def forward(self, x: Tensor) -> Tensor:
        return (x >= 1).to(x.dtype)

    def reset(self) -> None:
        """Has no state."""


class Slope(torch.autograd.Function):
    """Threshold forward, identity backward."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return (x >= 1).to(x.dtype)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return gradients[0]


class LearningThreshold(Threshold):
    def forward(self, x: Tensor) -> Tensor:
        spikes: Tensor = Slope.apply(x)
        return spikes


def replaced(model: nn.Module, make: Callable[[neuron.LIFNode], nn.Module]) -> nn.Module:
    """A copy with other neurons and the same weights."""
    changed = copy.deepcopy(model)
    for path, module in list(changed.named_modules()):
        if isinstance(module, neuron.LIFNode):
            changed.set_submodule(path, make(module))
    return changed


def spikingjelly(node: neuron.LIFNode) -> neuron.LIFNode:
    return neuron.LIFNode(
        tau=node.tau,
        decay_input=node.decay_input,
        v_threshold=node.v_threshold,
        v_reset=node.v_reset,
        surrogate_function=copy.deepcopy(node.surrogate_function),
        detach_reset=node.detach_reset,
        step_mode="m",
    )


def lively(model: nn.Module) -> None:
    """Statistics of batch norms that let neurons fire, as in a trained network."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.weight.data.uniform_(1.6, 2.4, generator=generator)
            module.bias.data.normal_(0, 0.6, generator=generator)


def sample(name: str, batch: int, steps: int) -> Tensor:
    entry = MODELS[name]
    torch.manual_seed(0)
    if entry.static:
        return torch.randn(batch, *entry.input_shape) * 0.5
    return (torch.rand(batch, steps, *entry.input_shape) < 0.05).float()


def infer(model: nn.Module, x: Tensor) -> Callable[[], object]:
    model.eval()

    def run() -> object:
        with torch.inference_mode():
            out = model(x)
        functional.reset_net(model)
        return out

    return run


def learn(model: nn.Module, x: Tensor) -> Callable[[], object]:
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
    labels = torch.arange(len(x)) % 10

    def run() -> object:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        functional.reset_net(model)
        return loss

    return run


def contiguous(run: Callable[[], object]) -> Callable[[], object]:
    """The same with feature maps as torch lays them out by itself."""

    def laid_out() -> object:
        ours, base.channels_last = base.channels_last, lambda x: x
        try:
            return run()
        finally:
            base.channels_last = ours

    return laid_out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="max_former_cifar")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--train", action="store_true", help="a whole step of training")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    static = {"steps": options.steps} if MODELS[options.model].static else {}
    ours = create_model(options.model, **static)
    lively(ours)
    if options.train:
        # As the training loop lays them out.
        ours = ours.to(memory_format=torch.channels_last)
    limit = LearningThreshold if options.train else Threshold
    models = {
        "ours": ours,
        "spikingjelly": replaced(ours, spikingjelly),
        "spikingjelly_channels_last": replaced(ours, spikingjelly),
        "limit": replaced(ours, lambda _: limit()),
    }
    x = sample(options.model, options.batch, options.steps)
    mode = learn if options.train else infer
    runs = {name: mode(model, x) for name, model in models.items()}
    models["spikingjelly"].to(memory_format=torch.contiguous_format)
    runs["spikingjelly"] = contiguous(runs["spikingjelly"])
    for run in runs.values():
        run()
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repeats):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        json.dumps(
            {
                "benchmark": "zoo_speed",
                **vars(options),
                "torch": torch.__version__,
                "median_seconds": medians,
                "fastest_and_slowest": {k: [min(v), max(v)] for k, v in seconds.items()},
                "times_as_fast_as": {
                    name: median / medians["ours"] for name, median in medians.items()
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
