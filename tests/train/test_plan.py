"""Plans of runs, and that every recipe takes steps."""

from __future__ import annotations

import pytest

from spikeport.train import plan as planning
from spikeport.train.plan import plan
from spikeport.train.recipe import load_recipe, recipe_names

REDUCED = {
    "max_former_cifar10": ("options.dim=32", "options.heads=2", "options.image_size=[16,16]"),
    "max_former_cifar100": ("options.dim=32", "options.heads=2", "options.image_size=[16,16]"),
    "max_former_cifar10dvs": ("options.dim=32", "options.heads=2", "options.image_size=[16,16]"),
    "max_former_gesture": ("options.dim=32", "options.heads=2", "options.image_size=[16,16]"),
    "max_former_imagenet": ("options.dim=64", "options.heads=2", "options.image_size=[32,32]"),
    "stf_spikformer_cifar10": ("options.dim=128", "options.heads=2", "options.image_size=[16,16]"),
    "stf_spikformer_cifar100": ("options.dim=128", "options.heads=2", "options.image_size=[16,16]"),
}
"""Networks of the published trainings, made small enough for a test."""


def test_no_published_training_is_left_out() -> None:
    recipes = {name: load_recipe(name) for name in recipe_names()}
    published = {n for n, r in recipes.items() if r.images or r.augment.policy == "wide"}
    assert set(REDUCED) == published


@pytest.mark.parametrize("name", REDUCED)
def test_every_published_recipe_takes_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own augmentation, mixing, schedule and precision, on random numbers."""
    monkeypatch.setattr(planning, "STEPS", 1)
    steps = ("data.steps=2",) if "event" in load_recipe(name).model else ("options.steps=2",)
    found = plan(load_recipe(name, [*REDUCED[name], *steps]), device="cpu", seconds=0.0)
    assert found.step_seconds > 0 and found.batch == 4 and found.device == "cpu"
    assert found.train is None and "Nothing is downloaded by itself" in found.missing
    assert found.hours is None
    # A step of the recipe takes as many times as long as it has samples.
    assert found.seconds_per_batch == found.step_seconds * found.recipe.batch_size / 4


def test_batches_grow_as_far_as_time_and_data_allow() -> None:
    settings = ("options.dim=16", "options.heads=2", "data.train=validation", "warmup_epochs=0")
    recipe = load_recipe("digits", [*settings, "batch_size=32", "data.train_seeds=[0]"])
    found = plan(recipe, seconds=1000.0)
    assert found.batch == 32 and (found.train, found.test) == (500, 1000)
    assert found.hours == pytest.approx(500 / 32 * 110 * found.step_seconds / 3600)
    # 500 samples are ten batches and one to warm up of at most 45.
    larger = plan(load_recipe("digits", [*settings, "batch_size=128"]), seconds=1000.0)
    assert larger.batch == 32
