"""Small sweeps in this process: rows, refusals, and going on."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import swept
from blobs import SETTINGS
from PIL import Image

from spikeport.core.errors import FileError, UsageError
from spikeport.estimate import estimate
from spikeport.estimate.stats import wilson
from spikeport.sweep import Grid, parse_grid, sweep
from spikeport.sweep import run as runner
from spikeport.targets.reference import ReferenceExecutor
from spikeport.train.data import open_data
from spikeport.train.stopping import Stopped


def small(folder: Path, **changes: Any) -> Grid:
    content = swept.grid(folder)
    content["grid"] |= changes
    return parse_grid(content, "grid")


def test_one_row_per_cell_with_what_a_plain_run_gives(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    seen: list[tuple[int, int, int]] = []

    def look(_: object, count: int, total: int) -> None:
        # The file is whole after each cell.
        seen.append((count, total, pq.read_table(out).num_rows))

    sweep(small(tmp_path), out, command="spikeport sweep", on_row=look)
    assert seen == [(1, 4, 1), (2, 4, 2), (3, 4, 3), (4, 4, 4)]
    table = pd.read_parquet(out)
    assert table[["steps", "threshold"]].values.tolist() == [[1, 1.0], [1, 2.0], [4, 1.0], [4, 2.0]]
    assert table["error"].isna().all() and (table["seconds"] > 0).all()
    assert str(table["steps"].dtype) == "int64" and str(table["accuracy"].dtype) == "float64"
    assert table["provenance"].str.startswith("simulated events").all()
    facts = pq.read_schema(out).metadata
    assert facts[b"command"] == b"spikeport sweep" and b"spikeport" in facts
    assert b'"threshold": [1.0, 2]' in facts[b"grid"]

    data = open_data("digits", "test", steps=4)
    chosen = [index * len(data) // 20 for index in range(20)]
    frames = data.frames[chosen].swapaxes(0, 1).astype("float32")
    executor = ReferenceExecutor(swept.tiny_net())
    report = estimate(executor, [(_tensor(frames), _tensor(data.labels[chosen]))])
    row = table.iloc[2]
    assert row.sop == report.totals["sop"] and row.spikes == report.totals["spikes_out"]
    assert row.energy_uJ == pytest.approx(report.totals["energy_uJ"])
    assert report.accuracy is not None and row.accuracy == report.accuracy.top1
    assert (row.accuracy_low, row.accuracy_high) == wilson(int(row.correct), 20)
    # A threshold twice as high lets fewer spikes through.
    assert table.spikes[1] < table.spikes[0] and table.spikes[3] < table.spikes[2]


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(array)


def test_a_refused_cell_does_not_stop_the_others(tmp_path: Path) -> None:
    # Lava has no soft reset, and there is no target of the third name.
    grid = small(tmp_path, steps=[4], threshold=[1.0], target=["lava", "lawa", "reference"])
    rows = sweep(grid, tmp_path / "rows.parquet")
    assert [bool(row.get("error")) for row in rows] == [True, True, False]
    table = pd.read_parquet(tmp_path / "rows.parquet")
    assert "v_reset" in table.error[0] and "lava" in table.error[1]
    assert table.accuracy.isna().tolist() == [True, True, False]
    assert table.weight_bits.fillna(0).tolist() == [8, 0, 0]


def test_a_cell_that_breaks_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikeport.sweep import work

    real = work.scale_thresholds

    def breaks(graph: Any, factor: float) -> Any:
        if factor == 2:
            raise RuntimeError("out of something")
        return real(graph, factor)

    monkeypatch.setattr(work, "scale_thresholds", breaks)
    rows = sweep(small(tmp_path, steps=[1]), tmp_path / "rows.parquet")
    assert [row.get("error") for row in rows] == [None, "RuntimeError: out of something"]
    # What failed is tried again.
    monkeypatch.undo()
    rows = sweep(small(tmp_path, steps=[1]), tmp_path / "rows.parquet", resume=True)
    assert [row.get("error") for row in rows] == [None, None]


def test_an_interrupted_sweep_goes_on_with_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = sweep(small(tmp_path), tmp_path / "straight.parquet")
    out = tmp_path / "rows.parquet"

    def interrupt(_: object, count: int, __: int) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(small(tmp_path), out, on_row=interrupt)
    ran: list[Any] = []
    real = runner.run_cell
    monkeypatch.setattr(runner, "run_cell", lambda *given: ran.append(given[1]) or real(*given))
    rows = sweep(small(tmp_path), out, resume=True)
    assert [(cell.settings["steps"], cell.settings["threshold"]) for cell in ran] == [(4, 2.0)]
    assert [_plain(row) for row in rows] == [_plain(row) for row in straight]
    # All is there: nothing is run, and more cells may be added.
    sweep(small(tmp_path), out, resume=True)
    assert len(ran) == 1
    more = sweep(small(tmp_path, threshold=[1.0, 1.5, 2]), out, resume=True)
    assert len(more) == 6 and len(ran) == 3
    with pytest.raises(UsageError, match="2 of its rows"):
        sweep(small(tmp_path), out, resume=True)


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in swept.without_time(row).items() if value is not None}


def test_files_are_not_written_over(tmp_path: Path) -> None:
    grid = small(tmp_path)
    out = tmp_path / "rows.parquet"
    with pytest.raises(UsageError, match=r"\*\.parquet"):
        sweep(grid, tmp_path / "rows.csv")
    out.write_bytes(b"something")
    with pytest.raises(UsageError, match="there already"):
        sweep(grid, out)
    with pytest.raises(FileError, match="no Parquet file"):
        sweep(grid, out, resume=True)
    pd.DataFrame({"a": [1]}).to_parquet(out)
    with pytest.raises(FileError, match="not written by a sweep"):
        sweep(grid, out, resume=True)
    assert pd.read_parquet(out).a.tolist() == [1]


def test_training_records_final_weights_and_their_cost(tmp_path: Path) -> None:
    content = {
        "task": "train",
        "recipe": "digits",
        "samples": 4,
        "settings": {
            "data.spec": SETTINGS["data"]["spec"],
            "data.steps": 2,
            "data.train_seeds": [0],
            "options": {"dim": 16, "heads": 2, "image_size": [16, 16], "num_classes": 2},
            "epochs": 1,
            "batch_size": 8,
            "warmup_epochs": 0.5,
        },
        "grid": {"seed": [0, 1]},
    }
    out = tmp_path / "rows.parquet"
    rows = sweep(parse_grid(content, "grid"), out)
    assert not any(row.get("error") for row in rows), rows
    assert [(row["seed"], row["tested"], row["samples"]) for row in rows] == [
        (0, 24, 4),
        (1, 24, 4),
    ]
    for row in rows:
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
        assert row["spikes"] > 0 and row["energy_uJ"] > 0
        assert Path(row["checkpoint"]).is_file()
    out.unlink()
    with pytest.raises(UsageError, match="an earlier sweep"):
        sweep(parse_grid(content, "grid"), out)
    # Finished networks are not trained again.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("state.safetensors")}
    again = sweep(parse_grid(content, "grid"), out, resume=True)
    assert [row["accuracy"] for row in again] == [row["accuracy"] for row in rows]
    assert len(before) == 2
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_training_that_is_asked_to_stop_stops_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no cell that broke: the next ones must not run."""
    from spikeport.train import loop

    begun: list[Path] = []

    def stops(_: object, folder: Path, **__: object) -> None:
        begun.append(folder)
        raise Stopped(1, 2, folder)

    monkeypatch.setattr(loop, "fit", stops)
    content = {"task": "train", "recipe": "digits", "grid": {"seed": [0, 1]}}
    with pytest.raises(Stopped):
        sweep(parse_grid(content, "grid"), tmp_path / "rows.parquet")
    assert len(begun) == 1 and not (tmp_path / "rows.parquet").exists()


def test_networks_that_read_images_are_counted_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, name, index in itertools.product(("train", "test"), ("a", "b"), range(4)):
        folder = tmp_path / "pictures" / split / name
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    content = {
        "task": "train",
        "recipe": "max_former_cifar10",
        "samples": 5,
        "settings": {
            "data": {"spec": f"pictures:{tmp_path / 'pictures'}"},
            "options": {"dim": 32, "heads": 2, "num_classes": 2, "steps": 2},
            "mix": {},
            "choose": "last",
            "epochs": 1,
            "batch_size": 4,
            "micro_batch_size": 4,
            "warmup_epochs": 0,
            "schedule.cooldown_epochs": 0,
            "precision": "float32",
        },
        "grid": {"seed": [0]},
    }
    (row,) = sweep(parse_grid(content, "grid"), tmp_path / "rows.parquet")
    assert not row.get("error"), row
    assert (row["tested"], row["samples"]) == (8, 5) and row["energy_uJ"] > 0
