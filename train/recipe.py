"""Recipes: everything that decides how a training run ends."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.core.files import readable_file
from spikeport.train.data.frames import Framing

_FOLDER = Path(__file__).parent / "recipes"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataRecipe(_Settings):
    """What is learnt from.

    Args:
        spec: data set, `NAME` or `NAME:PATH`.
        train, test: splits; the accuracy reported is that on `test`.
        steps: frames T of each recording.
        framing: frames of equal event "count" or equal "time".
        test_seed: simulation the accuracy is measured on (simulated data only).
        train_seeds: simulations of the training split; epochs take them in turn.
    """

    spec: str
    train: str = "train"
    test: str = "test"
    steps: int = Field(default=4, ge=1)
    framing: Framing = "count"
    test_seed: int = Field(default=0, ge=0)
    train_seeds: tuple[int, ...] = Field(default=(0,), min_length=1)


class AugmentRecipe(_Settings):
    """Bounds of the random map of each training recording, the same for all its frames.

    Args:
        shift: in pixels, both ways and along both axes.
        rotate: in degrees, both ways.
        scale: relative, both ways, each axis on its own.
        shear: in degrees, both ways.
        elastic: standard deviation, in pixels, of a smooth random displacement on top.
    """

    shift: float = Field(default=0.0, ge=0)
    rotate: float = Field(default=0.0, ge=0)
    scale: float = Field(default=0.0, ge=0, lt=1)
    shear: float = Field(default=0.0, ge=0)
    elastic: float = Field(default=0.0, ge=0)


class Recipe(_Settings):
    """A training run.

    Args:
        edition: of the rules of training that the recipe was written for, so that it gives the same
            weights when rules change. 1, which recipes that name none are: neurons charge by
            (v + x) / 2 while they learn (`halve_sums`). 2: they learn as they run.
        model: name of the model, a key of `MODELS`.
        options: options of the model.
        data: what it learns from.
        augment: random maps of the training data.
        seed: of the first weights, the order of the data, and the random maps.
        epochs: passes over the training split.
        batch_size: recordings in each step of the optimiser.
        learning_rate: of AdamW, at its highest; cosine decay to zero.
        warmup_epochs: epochs of linear rise before.
        weight_decay: of AdamW; biases and batch norms have none.
        label_smoothing: of the cross-entropy.
        ema_decay: of the running mean of the weights, which is what is kept; per step.
        workers: parts that each batch is cut into, one CPU thread each; see `parallel_learner`.
    """

    edition: Literal[1, 2] = 1
    model: str
    options: dict[str, Any] = Field(default_factory=dict)
    data: DataRecipe
    augment: AugmentRecipe = AugmentRecipe()
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(gt=0)
    warmup_epochs: float = Field(default=0.0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    workers: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _decays(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs} leaves nothing of epochs")
        return self

    @model_serializer(mode="wrap")
    def _written_as_then(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The first edition had no setting of that name: its hashes and files stay as they are."""
        settings: dict[str, Any] = write(self)
        if self.edition == 1:
            del settings["edition"]
        return settings

    @property
    def hash(self) -> str:
        """SHA-256 of all settings, defaults included."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return sha256(text.encode()).hexdigest()


_TABLES: dict[str | int, type[BaseModel]] = {"data": DataRecipe, "augment": AugmentRecipe}


def recipe_names() -> list[str]:
    """Names of the recipes that come with Spikeport."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and change some of its settings.

    Args:
        name: one of `recipe_names()`, or the path of a TOML file (ending in `.toml`).
        overrides: `key=value` pairs such as `epochs=2` or `augment.shift=1.5`.

    Raises:
        UnknownNameError: no recipe, or setting, has this name; tells the near matches.
        FileError: the file is missing, unreadable or no TOML.
        UsageError: a setting has a value it cannot have.
    """
    settings = _read(name)
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
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"]
        if first["type"] == "extra_forbidden":
            table = _TABLES.get(place[0] if len(place) > 1 else "", Recipe)
            raise UnknownNameError("recipe setting", str(place[-1]), table.model_fields) from error
        raise UsageError(
            f"{first['msg']}.",
            where=f"{source}, setting {'.'.join(map(str, place))}" if place else source,
            fix="Correct the value.",
        ) from error


def _read(name: str | Path) -> dict[str, Any]:
    if not str(name).endswith(".toml"):
        if str(name) not in recipe_names():
            raise UnknownNameError("recipe", str(name), recipe_names())
        name = _FOLDER / f"{name}.toml"
    path = readable_file(name, "recipe")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(
            f"this recipe is no TOML: {error}.", where=str(path), fix="Correct that line."
        ) from error


def _set(settings: dict[str, Any], key: str, text: str) -> None:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        # Strings may come without quotes.
        value = text
    *tables, last = key.split(".")
    for table in tables:
        settings = settings.setdefault(table, {})
        if not isinstance(settings, dict):
            raise UsageError(f"{table} has no settings of its own.", where=key)
    settings[last] = value
