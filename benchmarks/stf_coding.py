"""Spike patterns of networks that a sweep trained on images, beside their accuracy and energy.

    python examples/digit_images.py digits
    spikeport sweep examples/grids/stf.yaml -o stf.parquet --workers 2
    python benchmarks/stf_coding.py stf.parquet

A word is what one neuron of the encoding layer emits over the T steps of one image of the test
split. Prints a table: means over seeds, 95 % intervals by Student's t.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from spikeport.estimate.patterns import Patterns, spike_patterns
from spikeport.estimate.stats import Statistics, statistics
from spikeport.sweep import parse_grid
from spikeport.sweep.cells import expand
from spikeport.sweep.work import trained_graph
from spikeport.targets.reference import ReferenceExecutor
from spikeport.train.recipe import Recipe, parse_recipe


def main(table: Path) -> None:
    rows = pd.read_parquet(table)
    settings = json.loads(pq.read_schema(table).metadata[b"grid"])
    recipes = {
        cell.hash: parse_recipe(cell.settings["recipe"], "recipe")
        for cell in expand(parse_grid(settings | settings.pop("fixed"), str(table)))
    }
    found = [
        patterns(recipes[row.settings_hash], Path(row.checkpoint)) for row in rows.itertuples()
    ]
    rows["words"] = [each.used for each in found]
    rows["rate"] = [each.rate for each in found]
    rows["entropy"] = [each.entropy for each in found]
    rows["most"] = [2**each.steps for each in found]
    for coding, same in rows.groupby("coding", sort=False):
        print(
            f"{coding:8} {len(same)} seeds  accuracy {interval(100 * same.accuracy)} %  "
            f"words {interval(same.words)} of {same.most.iloc[0]}  "
            f"entropy {interval(same.entropy)}  rate {interval(same.rate)}  "
            f"SOP {interval(same.sop / 1e6)} M  energy {interval(same.energy_uJ)} uJ"
        )


def patterns(recipe: Recipe, checkpoint: Path) -> Patterns:
    """Words on the whole test split."""
    graph, samples = trained_graph(recipe, checkpoint)
    return spike_patterns(ReferenceExecutor(graph), samples.batches())


def interval(values: pd.Series) -> str:
    found: Statistics = statistics(values.to_numpy(), "student")
    if found.low is None or found.high is None:
        return f"{found.mean:.3g}"
    digits = 2 if abs(found.mean) >= 1 else 3
    assert not math.isnan(found.mean)
    return f"{found.mean:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
