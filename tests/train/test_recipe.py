"""Recipes: read, changed, checked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.train.models import create_model
from spikeport.train.recipe import (
    Recipe,
    load_recipe,
    recipe_names,
    recipe_text,
    recipe_variants,
)


def test_every_shipped_recipe_is_valid() -> None:
    assert "digits" in recipe_names()
    for name in recipe_names():
        for variant in recipe_variants(name):
            load_recipe(name, variants=[variant])
        recipe = load_recipe(name)
        with torch.device("meta"):
            create_model(recipe.model, **recipe.options)


def test_hashes_of_old_recipes_stay() -> None:
    """Settings that came later must not change what checkpoints have recorded."""
    first = "c57105528322943e2ab269c987a49d3689aa462e9e202204a11fdbd3f26642b4"
    assert load_recipe("digits").hash == first
    assert load_recipe("digits", ["clip=1", "engine=devices", "workers=1"]).hash != first
    for later in ("data.validation=0.1", "batch_norm=running", "schedule.min_lr=1e-5"):
        assert load_recipe("digits", [later]).hash != first, later


def test_printed_recipe_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    for name in recipe_names():
        path.write_text(recipe_text(load_recipe(name)))
        assert load_recipe(path).hash == load_recipe(name).hash


def test_published_trainings() -> None:
    """Table 6 of arXiv 2505.18608."""
    cifar = load_recipe("max_former_cifar10")
    assert (cifar.passes, cifar.batch_size, cifar.highest_learning_rate) == (410, 128, 1.5e-3)
    event = load_recipe("max_former_cifar10dvs")
    assert (event.passes, event.mix.cutmix, event.data.steps) == (106, 0.5, 16)
    assert load_recipe("max_former_gesture", variants=["code"]).passes == 160
    row = load_recipe("max_former_imagenet", variants=["768-t1"])
    assert (row.model, row.options["steps"], row.mix.mixup) == ("max_former_10_768", 1, 0.8)
    assert row.highest_learning_rate == 1.2e-3 and row.images is not None
    assert row.images.erase_prob == 0
    code = load_recipe("max_former_imagenet", variants=["768-t1", "code"])
    assert code.highest_learning_rate == 2.4e-3 and code.images is not None
    assert code.images.erase_prob == 0.25
    # What is said on the command line comes last.
    assert load_recipe("max_former_gesture", ["epochs=20"], variants=["code"]).epochs == 20


def test_settings_can_be_overridden() -> None:
    recipe = load_recipe(
        "digits", ["epochs=3", "augment.shift=1.5", "data.framing=time", "options.dim=32"]
    )
    assert (recipe.epochs, recipe.augment.shift) == (3, 1.5)
    assert (recipe.data.framing, recipe.options) == ("time", {"dim": 32})


def test_hash_follows_the_settings() -> None:
    assert load_recipe("digits").hash == load_recipe("digits").hash
    assert load_recipe("digits").hash != load_recipe("digits", ["seed=17"]).hash


def test_recipes_that_name_no_edition_are_of_the_first() -> None:
    first = load_recipe("digits")
    assert first.edition == 1
    second = load_recipe("digits", ["edition=2"])
    assert second.hash != first.hash
    assert Recipe.model_validate(second.model_dump(mode="json")) == second
    with pytest.raises(UsageError, match="edition"):
        load_recipe("digits", ["edition=3"])


def test_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("model: max_former_digits\nepochs: 1\nlearning_rate: 1\ndata: {spec: digits}")
    assert load_recipe(path).data.steps == 4
    with pytest.raises(FileError, match="does not exist"):
        load_recipe(tmp_path / "other.yaml")
    with pytest.raises(UsageError, match="recipes are YAML files"):
        load_recipe(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: [", "no YAML"),
        ("digits", "no table of settings"),
        ("seed: 1\nseed: 2", "seed is there twice"),
        ("data: &a {spec: digits}\nimages: *a", "reference"),
        ("model: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("# " + "x" * (1 << 20), "far too large"),
        ("[" * 5000, "no YAML"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=told):
        load_recipe(path)


def test_variants_are_tables(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("variants: {code: 3}")
    with pytest.raises(UsageError, match="variants are tables"):
        load_recipe(path)


def test_unknown_names_tell_the_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean digits"):
        load_recipe("digit")
    with pytest.raises(UnknownNameError, match="Did you mean epochs"):
        load_recipe("digits", ["epoch=3"])
    with pytest.raises(UnknownNameError, match="Did you mean rotate"):
        load_recipe("digits", ["augment.rotation=3"])
    with pytest.raises(UnknownNameError, match="Did you mean mixup"):
        load_recipe("max_former_cifar10", ["mix.mixp=1"])
    with pytest.raises(UnknownNameError, match="Did you mean code"):
        load_recipe("max_former_gesture", variants=["cod"])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("epochs=0", "epochs"),
        ("epochs=many", "epochs"),
        ("epochs", "no key=value pair"),
        ("seed.x=1", "seed has no settings"),
        ("data.framing=size", "data.framing"),
        ("warmup_epochs=999", "warmup_epochs"),
        ("choose=validation", "needs data.validation"),
        ("micro_batch_size=100", "no multiple of micro_batch_size"),
        ("precision=bf16", "precision needs engine devices"),
        ("augment.flip=0.5", "augment.flip needs engine devices"),
        ("mix.mixup=0.5", "mix needs engine devices"),
        ("engine=devices", "workers belongs to engine threads"),
        ("schedule.cooldown_epochs=3", "another kind than smooth_cosine"),
    ],
)
def test_impossible_values_name_the_setting(override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_recipe("digits", [override])
