"""Trains on blobs as one process of several: fit_blobs.py FOLDER [RANK that kills itself]."""

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
    folder, doomed = Path(sys.argv[1]), sys.argv[2:]
    if doomed == [os.environ["RANK"]]:
        taken: list[int] = []

        def die(*_: Any) -> None:
            taken.append(1)
            if len(taken) == 4:
                (folder / "died-at").write_text(str(time.time()))
                os.kill(os.getpid(), signal.SIGKILL)

        register_optimizer_step_post_hook(die)
    result = fit(on_devices(), folder, device="cpu")
    if os.environ["RANK"] == "0":
        losses = [report.loss for report in result.history]
        (folder / "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main()
