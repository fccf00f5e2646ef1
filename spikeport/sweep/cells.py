"""A grid spread out into the cells to run."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spikeport.core.checking import checked_settings
from spikeport.core.errors import UsageError
from spikeport.estimate.energy import DEFAULT_ENERGY_MODEL
from spikeport.sweep.grid import Grid

LAVA = "lava"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvaluateSettings(_Settings):
    """One network on one target and some data.

    Args:
        model: graph file, model name, or package.module:factory.
        checkpoint: file of its weights; those that come with the model if not given.
        data, split, framing: recordings, and how they are cut into frames.
        samples: how many of them, spread evenly; all if not given.
        steps: T; the model's own if not given.
        target: TARGET or TARGET:BACKEND.
        weight_bits: of Lava: width of a weight with sign.
        threshold: factor on the threshold of every neuron.
        energy: energy model, by name or file.
    """

    model: str
    checkpoint: str | None = None
    data: str = "digits"
    split: str = "test"
    framing: str = "count"
    samples: int | None = Field(default=None, ge=1)
    steps: int | None = Field(default=None, ge=1, le=1024)
    target: str = "reference"
    weight_bits: int | None = None
    threshold: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    energy: str = DEFAULT_ENERGY_MODEL


class TrainSettings(_Settings):
    """How a trained network is counted; what it is trained with stands in a recipe.

    Args:
        samples: of the test split that are counted, spread evenly; all if not given. Accuracy is
            always that on the whole split.
        energy: energy model, by name or file.
    """

    samples: int | None = Field(default=None, ge=1)
    energy: str = DEFAULT_ENERGY_MODEL


@dataclass(frozen=True)
class Cell:
    """One run.

    Attributes:
        task: "evaluate" or "train".
        keys: what tells it from the others: the first columns of its row.
        settings: everything that decides about its result, fit for JSON.
    """

    task: str
    keys: dict[str, Any]
    settings: dict[str, Any]

    @cached_property
    def files(self) -> tuple[str, ...]:
        """SHA-256 of the files of networks and energy models that the settings name."""
        named = [self.settings.get(name) for name in ("model", "checkpoint", "energy")]
        return tuple(_sha256(Path(name)) for name in named if name is not None)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the name, the settings, those files, and the version of Spikeport."""
        content = [self.task, self.keys, self.settings, self.files, version("spikeport")]
        text = json.dumps(content, sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()

    @property
    def title(self) -> str:
        return ", ".join(f"{name} {_short(value)}" for name, value in self.keys.items())


def expand(grid: Grid, source: str = "grid") -> list[Cell]:
    """The cells of a grid, in its order. Where a key does not apply, cells are not doubled.

    Raises:
        UsageError: a setting is unknown, told twice, cannot be, or never applies.
    """
    spread = _evaluated if grid.task == "evaluate" else _trained
    found: dict[str, Cell] = {}
    for cell in spread(grid, source):
        found.setdefault(json.dumps([cell.keys, cell.settings], default=str), cell)
    return list(found.values())


def _combinations(grid: Grid, source: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(names of sets of settings by axis, settings of the axes)."""
    axes = [
        [
            (None, {name: value}) if isinstance(axis, list) else ((name, value), dict(axis[value]))
            for value in axis
        ]
        for name, axis in grid.grid.items()
    ]
    for combination in itertools.product(*axes):
        labels = dict(label for label, _ in combination if label is not None)
        settings: dict[str, Any] = {}
        for _, each in combination:
            twice = settings.keys() & each.keys()
            if twice:
                raise UsageError(
                    f"two axes set {min(twice)}.", where=source, fix="Leave it to one of them."
                )
            settings |= each
        yield labels, settings


def _evaluated(grid: Grid, source: str) -> Iterator[Cell]:
    applied = asked = False
    for labels, chosen in _combinations(grid, source):
        _no_clash(labels, set(EvaluateSettings.model_fields), source)
        twice = grid.fixed.keys() & chosen.keys()
        if twice:
            raise UsageError(
                f"{min(twice)} is fixed and on an axis too.", where=source, fix="Leave one out."
            )
        settings = checked_settings(EvaluateSettings, {**grid.fixed, **chosen}, source)
        told = settings.model_dump()
        if settings.weight_bits is not None:
            asked = True
        if settings.target.partition(":")[0] == LAVA:
            applied = True
            told["weight_bits"] = settings.weight_bits or _lava_bits()
        else:
            told["weight_bits"] = None
        yield Cell("evaluate", {**labels, **told}, told)
    if asked and not applied:
        raise UsageError(
            "weight_bits applies to no cell.",
            where=source,
            fix=f"Add target: {LAVA}, or leave weight_bits out.",
        )


def _trained(grid: Grid, source: str) -> Iterator[Cell]:
    from spikeport.train.recipe import load_recipe, parse_recipe

    assert grid.recipe is not None
    base = load_recipe(grid.recipe).model_dump(mode="json")
    fixed = checked_settings(TrainSettings, grid.fixed, source).model_dump()
    for labels, chosen in _combinations(grid, source):
        _no_clash(labels, {*TrainSettings.model_fields, "recipe", "model", "seed"}, source)
        told = copy.deepcopy(base)
        for key, value in {**grid.settings, **chosen}.items():
            _put(told, key, value)
        recipe = parse_recipe(told, source)
        axes = {name: value for name, value in chosen.items() if name in grid.grid}
        keys = {"recipe": grid.recipe, "model": recipe.model, "seed": recipe.seed}
        settings = {"recipe": recipe.model_dump(mode="json"), **fixed}
        yield Cell("train", {**keys, **labels, **axes, **fixed}, settings)


def _put(settings: dict[str, Any], key: str, value: Any) -> None:
    """Set `table.key`; in a list, a number stands for a place: `options.stages.0.mixer`."""
    *tables, last = key.split(".")
    place: Any = settings
    for table in tables:
        if isinstance(place, list):
            place = place[_index(place, table, key)]
        elif isinstance(place, dict):
            place = place.setdefault(table, {})
    if isinstance(place, list):
        place[_index(place, last, key)] = _fresh(value)
    elif isinstance(place, dict):
        place[last] = _fresh(value)
    else:
        raise UsageError(f"{tables[-1]} has no settings of its own.", where=key)


def _fresh(value: Any) -> Any:
    """A copy in which nothing is shared, so that one place can be set without another."""
    if isinstance(value, dict):
        return {name: _fresh(each) for name, each in value.items()}
    return [_fresh(each) for each in value] if isinstance(value, list | tuple) else value


def _index(values: list[Any], name: str, key: str) -> int:
    if not name.isdecimal() or int(name) >= len(values):
        raise UsageError(
            f"there is no place {name} in a list of {len(values)}.",
            where=key,
            fix="Count from 0, and give the whole list in settings.",
        )
    return int(name)


def _no_clash(labels: dict[str, Any], settings: set[str], source: str) -> None:
    clash = labels.keys() & settings
    if clash:
        raise UsageError(
            f"axis {min(clash)} holds sets of settings, but is called like a setting.",
            where=source,
            fix="Give it a name of its own.",
        )


def _lava_bits() -> int:
    from spikeport.targets.lava import LoweringOptions

    return LoweringOptions().weight_bits


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _short(value: object) -> str:
    return str(value) if not isinstance(value, list | dict) else json.dumps(value)
