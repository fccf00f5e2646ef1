"""A run that takes a while: `python slow_batches.py GRAPH FOLDER WORKERS BATCH [resume]`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from spikeport.convert import Graph, Interpreter
from spikeport.estimate import Progress, SampleFile, estimate, progress

SAMPLES = 48


class Batches(Sequence):  # type: ignore[type-arg]
    """Event frames that follow from the index of the sample; slow to load."""

    def __init__(self, batch: int, seconds: float = 0.0, order: Sequence[int] = range(SAMPLES)):
        self.batch, self.seconds, self.order = batch, seconds, list(order)

    def __len__(self):
        return -(-len(self.order) // self.batch)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(index)
        time.sleep(self.seconds)
        part = self.order[index * self.batch : (index + 1) * self.batch]
        return torch.stack([_sample(each) for each in part], 1), torch.tensor(part) % 3, part


class WrongLabels(Batches):
    """Labels beyond the classes of the network."""

    def __getitem__(self, index):
        frames, labels, names = super().__getitem__(index)
        return frames, labels + 7, names


def _sample(index: int) -> torch.Tensor:
    make = torch.Generator().manual_seed(index)
    return torch.poisson(torch.full((4, 2, 6, 6), 0.4), generator=make)


def main() -> None:
    graph, folder, workers, batch, *more = sys.argv[1:]
    progress.SECONDS = 0.2
    resume = "resume" in more
    out = Path(folder)
    kept = Progress(out / "progress.npz", resume=resume, settings={"batch size": batch})
    rows = SampleFile(out / "per_sample.parquet", resume=resume)
    report = estimate(
        Interpreter(Graph.load(graph), torch.float64),
        Batches(int(batch), 0.1),
        workers=int(workers),
        progress=kept,
        per_sample=rows,
    )
    assert report.accuracy is not None
    result = {
        "counts": report.counts.to_dict(orient="records"),
        "totals": report.totals,
        "predictions": report.accuracy.predictions,
    }
    (out / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
