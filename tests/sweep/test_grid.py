"""Grid files: what they spread out to, and what is refused before anything runs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from spikeport.core.errors import FileError, UsageError
from spikeport.sweep import load_grid, parse_grid
from spikeport.sweep.cells import expand

BITS, STEPS, MODELS = [4, 8], [1, 2, 4], ["max_former_digits", "ms_qkformer_digits"]


def test_cells_are_all_combinations_each_once() -> None:
    axes = {
        "model": MODELS,
        "steps": STEPS,
        "target": ["reference", "lava", "onnx"],
        "weight_bits": BITS,
    }
    found = expand(parse_grid({"samples": 20, "grid": axes}, "grid"))
    wanted = []
    for model, steps, target in itertools.product(MODELS, STEPS, axes["target"]):
        widths = BITS if target == "lava" else [None]
        wanted += [(model, steps, target, bits) for bits in widths]
    told = [[cell.settings[name] for name in axes] for cell in found]
    assert told == [list(each) for each in wanted]
    assert all(cell.settings["samples"] == 20 for cell in found)
    assert len({cell.hash for cell in found}) == len(found) == 24


def test_lava_cells_say_the_width_that_nobody_named() -> None:
    (cell,) = expand(parse_grid({"model": "m", "grid": {"target": ["lava"]}}, "grid"))
    assert cell.keys["weight_bits"] == 8


def test_named_sets_of_settings_are_an_axis() -> None:
    content = {
        "task": "train",
        "recipe": "digits",
        "settings": {"epochs": 3, "augment.shift": 0.5},
        "grid": {
            "mixers": {
                "max pool": {"options.stages": [{"embedding": "max_plus", "mixer": "max_pool"}]},
                "identity": {"options.stages": [{"embedding": "max", "mixer": "identity"}]},
            },
            "seed": [0, 1],
        },
    }
    found = expand(parse_grid(content, "grid"))
    assert [(cell.keys["mixers"], cell.keys["seed"]) for cell in found] == [
        *(("max pool", 0), ("max pool", 1), ("identity", 0), ("identity", 1))
    ]
    for cell in found:
        recipe = cell.settings["recipe"]
        (stage,) = recipe["options"]["stages"]
        assert stage["mixer"] == cell.keys["mixers"].replace(" ", "_")
        assert (recipe["epochs"], recipe["seed"]) == (3, cell.keys["seed"])
        # What was not named is as the recipe has it.
        assert recipe["augment"] == {**recipe["augment"], "shift": 0.5, "rotate": 10.0}


def test_a_number_stands_for_a_place_in_a_list() -> None:
    stage = {"embedding": "max", "mixer": "identity"}
    content = {
        **TRAIN,
        "settings": {"options.stages": [stage, stage]},
        "grid": {
            "options.stages.1.mixer": ["dwc3"],
            "embeddings": {"avg": {"options.stages.0.embedding": "avg"}},
        },
    }
    (cell,) = expand(parse_grid(content, "grid"))
    assert cell.settings["recipe"]["options"]["stages"] == [
        {"embedding": "avg", "mixer": "identity"},
        {"embedding": "max", "mixer": "dwc3"},
    ]
    # What all cells start from is not touched.
    assert stage == {"embedding": "max", "mixer": "identity"}


def test_a_hash_changes_with_settings_and_files(tmp_path: Path) -> None:
    def hash_of(**changes: Any) -> str:
        (cell,) = expand(parse_grid({"grid": {"model": ["m"]}, **changes}, "grid"))
        return cell.hash

    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"one")
    first = hash_of(checkpoint=str(weights))
    assert first == hash_of(checkpoint=str(weights))
    assert first != hash_of(checkpoint=str(weights), samples=3)
    weights.write_bytes(b"two")
    assert first != hash_of(checkpoint=str(weights))


TRAIN = {"task": "train", "recipe": "digits"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"grid": {}}, "at least 1"),
        ({"grid": {"model": []}}, "nothing on axis model"),
        ({"grid": {"seed": list(range(200)), "model": list(range(200))}}, "40,000 cells"),
        ({"grid": {"model": ["m"], "targets": ["lava"]}}, "target"),
        ({"grid": {"model": ["m"]}, "sample": 3}, "samples"),
        ({"grid": {"model": ["m"], "samples": [0]}}, "greater than or equal to 1"),
        ({"grid": {"model": ["m"], "threshold": [-1]}}, "greater than 0"),
        ({"grid": {"steps": [1]}}, "model"),
        ({"grid": {"model": ["m"]}, "model": "m"}, "fixed and on an axis"),
        ({"grid": {"model": ["m"], "weight_bits": [4]}}, "applies to no cell"),
        ({"grid": {"model": ["m"], "net": {"a": {"model": "m"}}}}, "two axes set model"),
        ({"grid": {"model": {"a": {"model": "m"}}}}, "a name of its own"),
        ({"grid": {"model": ["m"]}, "recipe": "digits"}, "task: train"),
        ({"grid": {"seed": [1]}, "task": "train"}, "needs a recipe"),
        ({"grid": {"model": ["m"]}, "fixed": {}}, "fixed"),
        ({**TRAIN, "grid": {"seeds": [1]}}, "seed"),
        ({**TRAIN, "grid": {"epochs": [0]}}, "epochs"),
        ({**TRAIN, "grid": {"seed": [1]}, "threshold": 1}, "threshold"),
        ({**TRAIN, "grid": {"epochs.most": [1]}}, "no settings of its own"),
        ({**TRAIN, "grid": {"epochs.most.of": [1]}}, "no settings of its own"),
        ({**TRAIN, "grid": {"data.train_seeds.9": [1]}}, "no place 9 in a list of 4"),
        ({**TRAIN, "grid": {"data.train_seeds.last": [1]}}, "no place last"),
        ({**TRAIN, "grid": {"recipe": {"a": {"seed": 1}}}}, "a name of its own"),
    ],
)
def test_what_cannot_be_is_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        expand(parse_grid(content, "grid"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "no table"),
        ("grid: {model: [a]}\ngrid: {model: [b]}", "grid is there twice"),
        ("grid: &a {model: [m]}\nsamples: *a", "a reference"),
        ("grid: !!python/object/apply:os.getcwd []", "python/object"),
        ("grid: [", "expected"),
        ("1: 2", "no table"),
        ("[" * 5000, "no YAML"),
        ("#" * (1 << 21), "far too large"),
    ],
)
def test_files_that_are_no_grids(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(text)
    with pytest.raises(FileError, match=message):
        load_grid(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="this grid does not exist"):
        load_grid(tmp_path / "none.yaml")
