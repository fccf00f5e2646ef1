"""The event Max-Former against numbers from its authors' program (float64, spike by spike)."""

from __future__ import annotations

import hashlib
import json
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor

from spikeport.train.models import create_model
from spikeport.train.models.max_former import MaxFormer

GOLDEN = Path(__file__).parents[1] / "golden"
CASE = "event_max_former_t4_c10"


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


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((GOLDEN / f"{CASE}.manifest.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def model(manifest: dict[str, Any]) -> MaxFormer:
    weights = {
        entry["name"]: torch.from_numpy(_value(entry["name"], entry["shape"], entry["kind"]))
        for entry in manifest["state_dict"]
    }
    data = b"".join(value.numpy().tobytes() for value in weights.values())
    assert hashlib.sha256(data).hexdigest() == manifest["weights_sha256"]
    model = create_model("max_former_event")
    assert list(model.state_dict()) == list(weights)
    model.load_state_dict(weights)
    return model.eval().double()


def test_spikes_and_scores_are_those_of_the_published_program(
    model: MaxFormer, manifest: dict[str, Any]
) -> None:
    golden = np.load(GOLDEN / f"{CASE}.golden.npz", allow_pickle=False)
    spikes: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, out, name=name: spikes.update({name: out}))
        for name, module in model.named_modules()
        if isinstance(module, LIFNode)
    ]
    shape = manifest["input"]["shape"]
    frames = (np.random.default_rng(7).random(shape) < 0.05).astype(np.float32)
    with torch.no_grad():
        scores = model(torch.from_numpy(frames).double())
    for handle in handles:
        handle.remove()

    assert list(spikes) == golden["lif_names"].tolist(), "order of execution"
    for index, (name, out) in enumerate(spikes.items()):
        packed = np.packbits(out[:, 0].numpy().astype(np.uint8).ravel()).tobytes()
        assert int(out.sum()) == golden["lif_spike_count"][index], name
        assert hashlib.sha256(packed).hexdigest() == golden["lif_packed_sha256"][index], name
    np.testing.assert_allclose(scores.numpy(), golden["logits"], rtol=0, atol=1e-10)


def test_parameters_are_as_many_as_published(manifest: dict[str, Any]) -> None:
    model = create_model("max_former_event")
    assert sum(p.numel() for p in model.parameters()) == manifest["parameters_total"]


def test_neurons_are_set_as_published(model: MaxFormer, manifest: dict[str, Any]) -> None:
    modules = dict(model.named_modules())
    for entry in manifest["lif"]:
        if entry["executed"]:
            neuron = modules[entry["name"]]
            for key in ("tau", "v_threshold", "v_reset", "detach_reset", "decay_input"):
                assert getattr(neuron, key) == entry[key], (entry["name"], key)
