"""The weights that come with Spikeport are what they say they are."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based.neuron import LIFNode

from spikeport.core.tensors import load_tensors
from spikeport.train.checkpoint import (
    CheckpointInfo,
    checkpoint_info,
    load_model,
    shipped_models,
    shipped_weights,
)
from spikeport.train.data import open_data
from spikeport.train.evaluate import accuracy
from spikeport.train.recipe import load_recipe

NEURONS = {
    "max_former_digits": 16,
    "max_former_digits_stf": 15,
    "max_resnet_digits": 9,
    "ms_qkformer_digits": 19,
    "spikformer_digits": 19,
}
"""Models that weights come with, and their layers of neurons."""
RECIPES = {"max_former_digits": "digits"}
"""Recipes that are not called like their model."""


def told(name: str) -> CheckpointInfo:
    info = checkpoint_info(load_tensors(shipped_weights(name))[1])
    assert info is not None
    return info


def test_none_is_missing() -> None:
    assert shipped_models() == sorted(NEURONS)


@pytest.mark.parametrize("name", NEURONS)
def test_accuracy_is_as_recorded(name: str) -> None:
    info = told(name)
    assert info.test_samples == 1000
    score = accuracy(load_model(name), open_data("digits", "test", steps=4))
    # Rounding differs between platforms; one flipped spike may turn an answer or two.
    assert abs(score - info.accuracy) <= 0.002
    assert score >= 0.93


@pytest.mark.parametrize("name", NEURONS)
def test_made_by_the_recipe_that_ships_with_them(name: str) -> None:
    assert shipped_weights(name).stat().st_size < 2_000_000
    info, recipe = told(name), load_recipe(RECIPES.get(name, name))
    assert info.recipe == recipe and info.recipe_hash == recipe.hash
    assert info.model == recipe.model == name
    assert (recipe.data.train, recipe.data.test) == ("train", "test")
    assert "simulated events" in info.provenance and "torch" in info.versions


@pytest.mark.parametrize("name", NEURONS)
def test_neurons_fire_moderately(name: str) -> None:
    """Fixed-point conversion needs layers that are neither silent nor saturated."""
    model = load_model(name)
    rates: dict[str, float] = {}
    for path, module in model.named_modules():
        if isinstance(module, LIFNode):
            module.register_forward_hook(
                lambda _, __, out, path=path: rates.update({path: float(out.mean())})
            )
    frames, _ = next(open_data("digits", "test", steps=4).batches(200))
    with torch.no_grad():
        model(frames)
    assert len(rates) == NEURONS[name]
    assert all(0.01 < rate < 0.65 for rate in rates.values()), rates
