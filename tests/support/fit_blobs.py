"""Trains on blobs as one process of several: `fit_blobs.py FOLDER whole`, or `killed`, where one of
them kills itself in the second epoch."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from blobs import on_devices
from torch.optim.optimizer import register_optimizer_step_post_hook

from spikeport.train.loop import fit


def main() -> None:
    torch.set_num_threads(1)
    folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    if sys.argv[2] == "killed" and rank == 1:
        register_optimizer_step_post_hook(_die_in_the_second_epoch(folder / "died-at"))
    result = fit(on_devices(), folder / sys.argv[2], device="cpu")
    if rank == 0:
        losses = [report.loss for report in result.history]
        (folder / "losses.json").write_text(json.dumps(losses))


def _die_in_the_second_epoch(file: Path) -> Any:
    taken: list[int] = []

    def die(*_: Any) -> None:
        taken.append(1)
        if len(taken) == 4:
            file.write_text(str(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)

    return die


if __name__ == "__main__":
    main()
