"""The results that docs/spectrum.md tells are what the shipped network gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from spikeport.convert import Interpreter, trace
from spikeport.estimate.spectrum import Spectra, SpectrumReport
from spikeport.train.checkpoint import load_model
from spikeport.train.data.named import open_data

PAGE = Path(__file__).parents[3] / "docs" / "spectrum.md"
SAMPLES = 40
POINTS = 1.5
"""Other samples than on the page: intervals there are below 1 point."""
ROWS = re.compile(
    r"^\| ([^|]+) \| (\d+)[^|]* \| ([-+][\d.]+) ± [\d.]+ \| ?([^|]*)\|$", re.MULTILINE
)


def test_the_table_of_the_page() -> None:
    data = open_data("digits", "test", steps=4)
    chosen = torch.linspace(0, len(data) - 1, SAMPLES).long().tolist()
    frames = torch.stack([data[index][0] for index in chosen], dim=1)
    graph = trace(
        load_model("max_former_digits"), frames[:, :2].transpose(0, 1), input_domain="graded"
    )
    spectra = Spectra(graph)
    spectra.run(Interpreter(graph), frames)
    kinds = SpectrumReport(spectra).by_kind
    rows = ROWS.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) == 9
    for name, places, space, time in rows:
        what = name.split(" (")[0].split(", stride")[0]
        what = what.replace(", whole module", ", whole").replace(", same size", "")
        found = kinds[kinds["what"] == what]
        if len(found) > 1:
            found = found[found["same_size"]]
        (row,) = found.to_dict(orient="records")
        assert row["defined"] == int(places), what
        assert 100 * row["difference"] == pytest.approx(float(space), abs=POINTS), what
        if time.strip():
            told = float(time.split(" ±")[0])
            assert 100 * row["time_difference"] == pytest.approx(told, abs=POINTS), what
