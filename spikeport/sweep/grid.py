"""The file that says what a sweep runs."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spikeport.core.checking import checked_settings
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.core.yaml_files import read_yaml

MOST_CELLS = 10_000


class Grid(BaseModel):
    """All combinations of some settings.

    Args:
        task: "evaluate" runs trained networks on data; "train" trains one network per cell.
        grid: axes by name, in the order in which cells come, the last one fastest. A list holds
            the values of the setting that the axis is called by; a table holds sets of settings by
            the names that they are to have in results.
        recipe: of "train": name, or path of a file.
        settings: of "train": settings of the recipe that are the same in every cell.
        fixed: settings of the task that are the same in every cell: in the file they stand beside
            the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["evaluate", "train"] = "evaluate"
    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = Field(min_length=1)
    recipe: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    fixed: dict[str, Any] = Field(default_factory=dict)

    @field_validator("grid")
    @classmethod
    def _sizes(cls, grid: dict[str, Any]) -> dict[str, Any]:
        empty = [name for name, axis in grid.items() if not axis]
        if empty:
            raise ValueError(f"there is nothing on axis {empty[0]}")
        cells = math.prod(len(axis) for axis in grid.values())
        if cells > MOST_CELLS:
            raise ValueError(f"{cells:,} cells are too many (at most {MOST_CELLS:,})")
        return grid


def load_grid(path: str | os.PathLike[str]) -> Grid:
    """Read and check a grid file.

    Raises:
        FileError: it is missing, unreadable, or no YAML.
        UsageError: something in it cannot be.
    """
    return parse_grid(read_yaml(path, "grid"), str(path))


def parse_grid(content: dict[str, Any], source: str) -> Grid:
    """Check what a grid file says; `source` tells errors where that came from."""
    own = {name: value for name, value in content.items() if name in Grid.model_fields}
    if "fixed" in own:
        raise UnknownNameError("setting", "fixed", Grid.model_fields.keys() - {"fixed"})
    fixed = {name: value for name, value in content.items() if name not in own}
    grid = checked_settings(Grid, {**own, "fixed": fixed}, source)
    if (grid.task == "train") != (grid.recipe is not None) or (grid.settings and not grid.recipe):
        raise UsageError(
            "recipe and settings go with task: train, and it needs a recipe.",
            where=source,
            fix="Write both, task: train and recipe: NAME, or neither.",
        )
    return grid


def beside(out: Path) -> Path:
    """The folder for what the cells of a sweep leave, beside its table."""
    return out.with_name(f"{out.stem}_runs")
