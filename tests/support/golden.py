"""Running a network of the reference runs and seeing what it does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from spikeport.train.reference import reference_input, reference_model

GOLDEN = Path(__file__).parents[1] / "golden"


def manifest(case: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / f"{case}.manifest.json").read_text())
    return loaded


def results(case: str) -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN / f"{case}.golden.npz") as stored:
        return dict(stored)


def weights(case: str) -> dict[str, Tensor]:
    """The state dict, in the manifest's order."""
    return reference_model(manifest(case)).state_dict()


def event_input(case: str) -> Tensor:
    """`[B, T, 2, H, W]` zeros and ones."""
    return reference_input(manifest(case))


def run(model: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The output, and the spikes `[T, B, ...]` of each neuron layer in order of execution."""
    spikes: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, out, name=name: spikes.update({name: out}))
        for name, module in model.named_modules()
        if isinstance(module, LIFNode)
    ]
    try:
        with torch.no_grad():
            return model(x), spikes
    finally:
        for handle in handles:
            handle.remove()


class _MatMuls(TorchDispatchMode):
    def __init__(self, counts: list[int]) -> None:
        super().__init__()
        self.counts = counts

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.bmm.default:
            self.counts.append(out.numel() * args[0].shape[-1])
        return out


@contextlib.contextmanager
def matmuls(counts: list[int]) -> Iterator[None]:
    """Collect the multiply-accumulates of the batched matrix products that run inside."""
    with _MatMuls(counts):
        yield
