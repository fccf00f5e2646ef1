"""The weights that come with Spikeport are what they say they are."""

from __future__ import annotations

import torch
from spikingjelly.activation_based.neuron import LIFNode

from spikeport.core.tensors import load_tensors
from spikeport.train.checkpoint import checkpoint_info, load_model, shipped_weights
from spikeport.train.data import open_data
from spikeport.train.evaluate import accuracy
from spikeport.train.recipe import load_recipe

NAME = "max_former_digits"


def test_accuracy_is_as_recorded() -> None:
    path = shipped_weights(NAME)
    info = checkpoint_info(load_tensors(path)[1])
    assert info is not None and info.test_samples == 1000
    score = accuracy(load_model(NAME), open_data("digits", "test", steps=4))
    # Rounding differs between platforms; one flipped spike may turn an answer or two.
    assert abs(score - info.accuracy) <= 0.002
    assert score >= 0.985


def test_made_by_the_recipe_that_ships_with_them() -> None:
    path = shipped_weights(NAME)
    assert path.stat().st_size < 2_000_000
    info = checkpoint_info(load_tensors(path)[1])
    recipe = load_recipe("digits")
    assert info is not None
    assert info.recipe == recipe and info.recipe_hash == recipe.hash
    assert info.model == recipe.model == NAME
    assert "simulated events" in info.provenance and "torch" in info.versions


def test_neurons_fire_moderately() -> None:
    """Fixed-point conversion needs layers that are neither silent nor saturated."""
    model = load_model(NAME)
    rates: dict[str, float] = {}
    for name, module in model.named_modules():
        if isinstance(module, LIFNode):
            module.register_forward_hook(
                lambda _, __, out, name=name: rates.update({name: float(out.mean())})
            )
    frames, _ = next(open_data("digits", "test", steps=4).batches(200))
    with torch.no_grad():
        model(frames)
    assert len(rates) == 16
    assert all(0.01 < rate < 0.65 for rate in rates.values()), rates
