"""`spikeport sweep`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import swept
import yaml


def test_cells_stream_and_a_refused_one_makes_the_exit_code(cli, tmp_path: Path) -> None:
    content = swept.grid(tmp_path)
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    done = cli("sweep", "grid.yaml", "-o", "rows.parquet")
    assert done.code == 0, done.err
    assert "1 of 4: steps 1, threshold 1" in done.err and "4 of 4" in done.err
    text = " ".join(done.out.split())
    assert "steps threshold accuracy %" in text and "simulated events" in text
    assert "model" not in done.out
    assert len(pd.read_parquet(tmp_path / "rows.parquet")) == 4

    again = cli("sweep", "grid.yaml", "-o", "rows.parquet")
    assert again.code == 2 and "--resume" in again.err
    content["grid"]["target"] = ["reference", "lava"]
    content["grid"]["steps"] = [1]
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    done = cli("sweep", "grid.yaml", "-o", "other.parquet", "--json")
    assert done.code == 1
    assert "soft reset" in " ".join(done.err.split())
    rows = json.loads(done.out)
    told = [(row["target"], bool(row.get("error"))) for row in rows]
    # The grid has the thresholds first.
    assert told == [("reference", False), ("lava", True)] * 2


def test_a_grid_that_cannot_be(cli, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("grid: {model: [max_former_digits], stepps: [1]}")
    done = cli("sweep", "grid.yaml", "-o", "rows.parquet")
    assert done.code == 2 and "steps" in done.err
    assert not (tmp_path / "rows.parquet").exists()
