"""Weights and inputs of the reference runs, made anew from names and shapes."""

from __future__ import annotations

import hashlib
import json
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GOLDEN = Path(__file__).parents[1] / "golden"


def _value(name: str, shape: list[int], kind: str) -> NDArray[Any]:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    rng = np.random.default_rng(seed)
    if kind == "bn_num_batches_tracked":
        return np.array(1, np.int64)
    draw = {
        "conv_weight": lambda: rng.standard_normal(shape) * sqrt(2 / prod(shape[1:])),
        "linear_weight": lambda: rng.standard_normal(shape) * sqrt(2 / prod(shape[1:])),
        "conv_bias": lambda: rng.standard_normal(shape) * 0.1,
        "linear_bias": lambda: rng.standard_normal(shape) * 0.1,
        "bn_weight": lambda: 1.6 + 0.8 * rng.random(shape),
        "bn_bias": lambda: 0.6 * rng.standard_normal(shape),
        "bn_running_mean": lambda: 0.1 * rng.standard_normal(shape),
        "bn_running_var": lambda: 0.5 + rng.random(shape),
    }[kind]
    return draw().astype(np.float32)


def manifest(case: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / f"{case}.manifest.json").read_text())
    return loaded


def results(case: str) -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN / f"{case}.golden.npz") as stored:
        return dict(stored)


def weights(case: str) -> dict[str, Tensor]:
    """The state dict, in the manifest's order; its hash is checked."""
    content = manifest(case)
    made = {
        entry["name"]: torch.from_numpy(_value(entry["name"], entry["shape"], entry["kind"]))
        for entry in content["state_dict"]
    }
    data = b"".join(value.numpy().tobytes() for value in made.values())
    assert hashlib.sha256(data).hexdigest() == content["weights_sha256"]
    return made


def event_input(case: str) -> Tensor:
    """`[B, T, 2, H, W]` zeros and ones; its hash is checked."""
    content = manifest(case)["input"]
    rng = np.random.default_rng(7)
    x = (rng.random(content["shape"]) < 0.05).astype(np.float32)
    assert hashlib.sha256(x.tobytes()).hexdigest() == content["sha256_of_little_endian_bytes"]
    return torch.from_numpy(x)
