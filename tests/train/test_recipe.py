"""Recipes: read, changed, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.train.recipe import Recipe, load_recipe, recipe_names


def test_every_shipped_recipe_is_valid() -> None:
    assert "digits" in recipe_names()
    for name in recipe_names():
        load_recipe(name)


def test_settings_can_be_overridden() -> None:
    recipe = load_recipe(
        "digits", ["epochs=3", "augment.shift=1.5", "data.framing=time", "options.dim=32"]
    )
    assert (recipe.epochs, recipe.augment.shift) == (3, 1.5)
    assert (recipe.data.framing, recipe.options) == ("time", {"dim": 32})


def test_hash_follows_the_settings() -> None:
    assert load_recipe("digits").hash == load_recipe("digits").hash
    assert load_recipe("digits").hash != load_recipe("digits", ["seed=17"]).hash


def test_recipes_that_name_no_edition_are_written_as_before_there_was_any() -> None:
    first = load_recipe("digits")
    assert first.edition == 1 and "edition" not in first.model_dump(mode="json")
    assert first.hash == "c57105528322943e2ab269c987a49d3689aa462e9e202204a11fdbd3f26642b4"
    second = load_recipe("digits", ["edition=2"])
    assert second.hash != first.hash and second.model_dump(mode="json")["edition"] == 2
    assert Recipe.model_validate(second.model_dump(mode="json")) == second
    with pytest.raises(UsageError, match="edition"):
        load_recipe("digits", ["edition=3"])


def test_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('model="max_former_digits"\nepochs=1\nlearning_rate=1\n[data]\nspec="digits"')
    assert load_recipe(path).data.steps == 4
    path.write_text("model = ")
    with pytest.raises(FileError, match="no TOML"):
        load_recipe(path)
    with pytest.raises(FileError, match="does not exist"):
        load_recipe(tmp_path / "other.toml")


def test_unknown_names_tell_the_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean digits"):
        load_recipe("digit")
    with pytest.raises(UnknownNameError, match="Did you mean epochs"):
        load_recipe("digits", ["epoch=3"])
    with pytest.raises(UnknownNameError, match="Did you mean rotate"):
        load_recipe("digits", ["augment.rotation=3"])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("epochs=0", "epochs"),
        ("epochs=many", "epochs"),
        ("epochs", "no key=value pair"),
        ("seed.x=1", "seed has no settings"),
        ("data.framing=size", "data.framing"),
        ("warmup_epochs=999", "warmup_epochs"),
    ],
)
def test_impossible_values_name_the_setting(override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_recipe("digits", [override])
