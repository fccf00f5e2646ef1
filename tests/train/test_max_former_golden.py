"""The event Max-Former against numbers from its authors' program (float64, spike by spike)."""

from __future__ import annotations

import hashlib
from typing import Any

import golden
import numpy as np
import pytest
import torch
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor

from spikeport.train.models import create_model
from spikeport.train.models.max_former import MaxFormer

CASE = "event_max_former_t4_c10"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return golden.manifest(CASE)


@pytest.fixture(scope="module")
def model() -> MaxFormer:
    weights = golden.weights(CASE)
    model = create_model("max_former_event")
    assert list(model.state_dict()) == list(weights)
    model.load_state_dict(weights)
    return model.eval().double()


def test_spikes_and_scores_are_those_of_the_published_program(model: MaxFormer) -> None:
    expected = golden.results(CASE)
    spikes: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, out, name=name: spikes.update({name: out}))
        for name, module in model.named_modules()
        if isinstance(module, LIFNode)
    ]
    with torch.no_grad():
        scores = model(golden.event_input(CASE).double())
    for handle in handles:
        handle.remove()

    assert list(spikes) == expected["lif_names"].tolist(), "order of execution"
    for index, (name, out) in enumerate(spikes.items()):
        packed = np.packbits(out[:, 0].numpy().astype(np.uint8).ravel()).tobytes()
        assert int(out.sum()) == expected["lif_spike_count"][index], name
        assert hashlib.sha256(packed).hexdigest() == expected["lif_packed_sha256"][index], name
    np.testing.assert_allclose(scores.numpy(), expected["logits"], rtol=0, atol=1e-10)


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
