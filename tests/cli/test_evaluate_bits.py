"""Accuracy at several widths of the weights, and what each costs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from spikeport import sweep_bits
from spikeport.convert import Graph
from spikeport.core.errors import UsageError

BITS = ("evaluate", "max_former_digits", "--target", "lava", "--samples", 40)


def test_bits_are_swept_and_written(cli, tmp_path: Path) -> None:
    done = cli(*BITS, "--bits", "4,8", "-o", "bits.csv", "--set", "search=none")
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "bits.csv")
    assert table["bits"].fillna(0).tolist() == [0, 4, 8]
    base, four, eight = table.itertuples(index=False)
    assert base.agreement == base.worst_alone == 1.0
    assert four.worst_alone < eight.worst_alone < 1.0
    assert 8 * four.weight_bytes == 4 * eight.weight_bytes == base.weight_bytes
    assert all(row.low < row.accuracy <= row.high for row in (base, four, eight))
    assert four.difference_low <= four.difference <= four.difference_high
    assert all(row.sop > 100_000 and row.energy_uj > 1 for row in (base, four, eight))
    assert all(len(each) == 64 for each in table["graph_sha256"])
    assert "float" in done.out and "points" in done.out
    assert "not counted" not in done.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bits", "8,twenty"), "no list of widths"),
        (("--bits", "8,20"), "weight_bits"),
        (("--bits", "8", "-o", "bits.xlsx"), "Name it *.csv"),
        (("--bits", "8", "--set", "serach=bias"), "Options: "),
        (("--bits", "8", "--set", "weight_bits=6"), "sets the width of weights itself"),
        (("--bits", "8", "--curve"), "does not take"),
        (("--bits", "8", "--steps", "all"), "does not take"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_runs(cli, options, message) -> None:
    done = cli(*BITS, *options)
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_only_lava_has_widths(cli) -> None:
    done = cli("evaluate", "max_former_digits", "--bits", "8")
    assert done.code == 2
    assert "--target lava" in done.err


def test_the_sweep_needs_samples_and_a_table_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to run"):
        sweep_bits(Graph(), torch.ones(1), [], (8,))
