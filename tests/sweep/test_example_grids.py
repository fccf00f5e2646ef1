"""The grids in `examples/` make sense, and the images that one of them needs are written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from console import ROOT

from spikeport.sweep import load_grid
from spikeport.sweep.cells import expand
from spikeport.train.recipe import load_recipe, parse_recipe
from spikeport.train.samples import open_samples

GRIDS = ROOT / "examples" / "grids"
CELLS = {"targets.yaml": 6, "ablation.yaml": 40, "stf.yaml": 6}
RECIPES = {"digit_images.yaml"}


def test_all_of_them_are_known_here() -> None:
    assert {path.name for path in GRIDS.iterdir()} == CELLS.keys() | RECIPES


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_all_different(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    cells = expand(load_grid(GRIDS / name))
    assert len({cell.hash for cell in cells}) == len(cells) == CELLS[name]
    recipes = [cell.settings["recipe"] for cell in cells if cell.task == "train"]
    # No two cells train the same network by the same seed.
    assert len({str(parse_recipe(each, name)) for each in recipes}) == len(recipes)


def test_images_to_train_on_are_written(tmp_path: Path) -> None:
    script = ROOT / "examples" / "digit_images.py"
    done = subprocess.run(
        [sys.executable, script, "digits"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    recipe = load_recipe(GRIDS / "digit_images.yaml", [f"data.spec=pictures:{tmp_path}/digits"])
    images = {split: open_samples(recipe, split) for split in ("train", "test")}
    assert {split: np.bincount(each.labels).tolist() for split, each in images.items()} == {
        "train": [400] * 10,
        "test": [100] * 10,
    }
    image = images["test"].plain(0)
    assert image.shape == (3, 32, 32)
    # The frame of two pixels is black: normalised, what the mean leaves of nothing.
    assert image[:, :2].flatten().tolist() == pytest.approx([-0.1007 / 0.2759] * 192)
