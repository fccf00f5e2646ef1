"""Lava's real runtime, guarded: an interpreter of its own, a deadline, nothing left behind."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.core.errors import UsageError
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.frames import stepped_frames
from spikeport.targets.lava.guard import Outcome, new_token, run_guarded
from spikeport.targets.lava.run import Integers, as_run
from spikeport.targets.lava.shim import require_lava
from spikeport.targets.lava.worker import ERROR, FRAMES, GRAPH, KEPT
from spikeport.targets.lowered import Run

DEADLINE = 600.0
WORKER = ("-m", "spikeport.targets.lava.worker")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_on_lava(
    graph: Graph,
    frames: Tensor,
    *,
    deadline: float = DEADLINE,
    worker: tuple[str, ...] = WORKER,
) -> Run:
    """Run an integer graph on Lava's multi-process runtime (`Loihi2SimCfg`, fixed point).

    About 3 s to start plus 25 ms per step for a network of 80 processes on two cores.

    Args:
        frames: what the graph takes; the samples are streamed back to back.
        deadline: seconds until the run is killed.
        worker: arguments of the interpreter that name the program to run.

    Raises:
        MissingPackageError: Lava is not installed.
        UsageError: the frames do not suit the graph, or the deadline is not positive.
        LavaRunError: a process failed (named, with its traceback), or the deadline passed.
    """
    if not deadline > 0:
        why = f"a deadline of {deadline:g} s cannot be kept."
        raise UsageError(why, where="deadline", fix="Give seconds > 0.")
    frames = stepped_frames(graph, frames)
    require_lava()
    with tempfile.TemporaryDirectory(prefix="spikeport-lava-") as name:
        folder = Path(name)
        graph.save(folder / GRAPH)
        np.save(folder / FRAMES, frames.cpu().numpy().astype(np.int32))
        token = new_token()
        outcome = run_guarded(
            [sys.executable, *worker, str(folder), token, str(os.getpid())],
            deadline=deadline,
            token=token,
            log=folder / "output.txt",
            environment=os.environ | _ONE_THREAD,
        )
        if outcome.code != 0 or not (folder / KEPT).exists():
            raise _error(folder, outcome, deadline)
        kept, seconds = _read(folder / KEPT)
        return as_run(graph, kept, "Lava runtime", seconds)


def _read(path: Path) -> tuple[dict[str, Integers], float]:
    with np.load(path, allow_pickle=False) as data:
        names = [str(name) for name in data["names"]]
        kept = {name: data[f"value_{index}"] for index, name in enumerate(names)}
        return kept, float(data["seconds"])


def _error(folder: Path, outcome: Outcome, deadline: float) -> LavaRunError:
    if (folder / ERROR).exists():
        told = json.loads((folder / ERROR).read_text())
        return LavaRunError(
            told["why"],
            where=told["where"],
            fix=told["fix"],
            process=told["process"],
            details=told["details"],
            seconds=outcome.seconds,
            deadline=deadline,
        )
    if outcome.code is None:
        why = "the run did not end in time and was killed."
        fix = "Give a longer deadline, or fewer samples; run in-process to see whether it hangs."
    else:
        why = f"the run ended with exit status {outcome.code} and told no reason."
        fix = "It may have run out of memory: run fewer processes beside it, or run in-process."
    return LavaRunError(
        why,
        where="Lava runtime",
        fix=fix,
        details=outcome.output,
        seconds=outcome.seconds,
        deadline=deadline,
    )
