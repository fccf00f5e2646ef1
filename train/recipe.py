"""Recipes in YAML files, their variants, and settings changed by the user."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from spikeport.core.checking import checked_settings
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.core.yaml_files import parse_yaml, read_yaml
from spikeport.train.settings import AugmentRecipe, DataRecipe, Recipe

__all__ = [
    "AugmentRecipe",
    "DataRecipe",
    "Recipe",
    "load_recipe",
    "parse_recipe",
    "recipe_names",
    "recipe_text",
    "recipe_variants",
]

_FOLDER = Path(__file__).parent / "recipes"
_SUFFIXES = (".yaml", ".yml")
_VARIANTS = "variants"


def recipe_names() -> list[str]:
    """Names of the recipes that come with Spikeport."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def recipe_variants(name: str | Path) -> dict[str, dict[str, Any]]:
    """The named variants of a recipe, and the settings that each changes.

    Raises:
        As `load_recipe`.
    """
    return _variants(_read(name), str(name))


def load_recipe(
    name: str | Path, overrides: Sequence[str] = (), *, variants: Sequence[str] = ()
) -> Recipe:
    """Read a recipe and change some of its settings.

    Args:
        name: one of `recipe_names()`, or the path of a YAML file (ending in `.yaml` or `.yml`).
        overrides: `key=value` pairs such as `epochs=2` or `augment.shift=1.5`, values as in YAML.
        variants: names of variants of that recipe, applied in this order before the overrides.

    Raises:
        UnknownNameError: no recipe, variant or setting has this name; tells the near matches.
        FileError: the file is missing, unreadable or no YAML.
        UsageError: a setting has a value it cannot have.
    """
    settings = _read(name)
    known = _variants(settings, str(name))
    settings.pop(_VARIANTS, None)
    for variant in variants:
        if variant not in known:
            raise UnknownNameError(f"variant of recipe {name}", variant, known)
        _merge(settings, known[variant])
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise UsageError(
                "this is no key=value pair.", where=repr(override), fix="Write it like epochs=2."
            )
        _set(settings, key.strip(), text.strip())
    return parse_recipe(settings, str(name))


def parse_recipe(settings: dict[str, Any], source: str) -> Recipe:
    """Check `settings` and make a recipe of them; `source` says in errors where they came from."""
    return checked_settings(Recipe, settings, source, "recipe setting")


def recipe_text(recipe: Recipe) -> str:
    """All settings as YAML; `load_recipe` reads it."""
    text: str = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
    return text


def _read(name: str | Path) -> dict[str, Any]:
    if str(name).endswith(".toml"):
        raise UsageError(
            "recipes are YAML files.", where=str(name), fix="Write `key: value` in a .yaml file."
        )
    if not str(name).endswith(_SUFFIXES):
        if str(name) not in recipe_names():
            raise UnknownNameError("recipe", str(name), recipe_names())
        name = _FOLDER / f"{name}.yaml"
    return read_yaml(name, "recipe")


def _variants(settings: Mapping[str, Any], source: str) -> dict[str, dict[str, Any]]:
    found = settings.get(_VARIANTS) or {}
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise UsageError(
            "variants are tables of settings by name.",
            where=f"{source}, setting {_VARIANTS}",
            fix="Write variants: {name: {key: value}}.",
        )
    return {str(name): copy.deepcopy(each) for name, each in found.items()}


def _merge(settings: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            _merge(settings[key], value)
        else:
            settings[key] = copy.deepcopy(value)


def _set(settings: dict[str, Any], key: str, text: str) -> None:
    try:
        value = parse_yaml(text)
    except yaml.YAMLError:
        # Strings may come without quotes.
        value = text
    *tables, last = key.split(".")
    for table in tables:
        settings = settings.setdefault(table, {})
        if not isinstance(settings, dict):
            raise UsageError(f"{table} has no settings of its own.", where=key)
    settings[last] = value
