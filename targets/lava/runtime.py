"""Lava's real runtime, guarded: an interpreter of its own, a deadline, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.core.errors import UsageError
from spikeport.targets.lava.conv_models import check_sizes, name_of
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.exchange import ERROR, FRAMES, GRAPH, KEPT
from spikeport.targets.lava.frames import stepped_frames
from spikeport.targets.lava.guard import Outcome, manner_of_death, new_token, run_guarded
from spikeport.targets.lava.interrupts import orderly_termination, uninterrupted
from spikeport.targets.lava.run import Integers, as_run
from spikeport.targets.lava.shim import require_lava, require_linux
from spikeport.targets.lowered import Run

DEADLINE = 600.0
WORKER = ("-m", "spikeport.targets.lava.worker")
LONGEST_FOLDER = 64
"""Characters; sockets that Lava makes in the folder of a run must not exceed 107."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_on_lava(
    graph: Graph,
    frames: Tensor,
    *,
    deadline: float = DEADLINE,
    conv_model: type[Any] | None = None,
    worker: tuple[str, ...] = WORKER,
) -> Run:
    """Run an integer graph on Lava's multi-process runtime (`Loihi2SimCfg`, fixed point).

    About 3 s to start plus 25 ms per step for a network of 80 processes on two cores.

    Args:
        frames: what the graph takes; the samples are streamed back to back.
        deadline: seconds until the run is killed.
        conv_model: another model for Lava's `Conv` than the fast one, importable by its name.
        worker: arguments of the interpreter that name the program to run.

    Raises:
        MissingPackageError: Lava is not installed.
        UsageError: the frames do not suit the graph, the deadline is not positive, or this is no
            Linux.
        LavaRunError: a process failed (named, with its traceback), or the deadline passed.
    """
    if not deadline > 0:
        why = f"a deadline of {deadline:g} s cannot be kept."
        raise UsageError(why, where="deadline", fix="Give seconds > 0.")
    frames = stepped_frames(graph, frames)
    check_sizes(graph, conv_model)
    require_linux()
    require_lava()
    with orderly_termination(), _scratch_folder() as folder:
        graph.save(folder / GRAPH)
        np.save(folder / FRAMES, frames.cpu().numpy().astype(np.int32))
        token = new_token()
        outcome = run_guarded(
            # -P: not in the folder where the command was called, which may hold a user's queue.py.
            [
                sys.executable,
                "-P",
                *worker,
                str(folder),
                token,
                str(os.getpid()),
                name_of(conv_model),
            ],
            deadline=deadline,
            token=token,
            log=folder / "output.txt",
            # What multiprocessing leaves there when it is killed goes with the folder.
            environment=os.environ | _ONE_THREAD | _same_modules() | {"TMPDIR": str(folder)},
        )
        if outcome.code != 0 or not (folder / KEPT).exists():
            raise _error(folder, outcome, deadline)
        kept, seconds = _read(folder / KEPT)
        return as_run(graph, kept, "Lava runtime", seconds)


def _same_modules() -> dict[str, str]:
    """Modules are looked for where this process does, a `conv_model` of the user's among them."""
    return {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    """A folder that is gone after the block, whatever happens in it."""
    parent = tempfile.gettempdir()
    prefix = "spikeport-lava-"
    if len(os.path.join(parent, prefix)) + 8 > LONGEST_FOLDER:
        parent = "/tmp"
    folder = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        yield Path(folder)
    finally:
        with uninterrupted():
            shutil.rmtree(folder, ignore_errors=True)


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
            details=told["details"] or outcome.output,
            seconds=outcome.seconds,
            deadline=deadline,
        )
    if outcome.code is None:
        why = "the run did not end in time and was killed."
        fix = "Give a longer deadline, or fewer samples; run in-process to see whether it hangs."
    else:
        why = f"the run ended with {manner_of_death(outcome.code)} and told no reason."
        fix = "It may have run out of memory: run fewer processes beside it, or run in-process."
    return LavaRunError(
        why,
        where="Lava runtime",
        fix=fix,
        details=outcome.output,
        seconds=outcome.seconds,
        deadline=deadline,
    )
