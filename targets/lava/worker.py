"""The program that runs Lava's real runtime; started by `runtime.run_on_lava`, never by hand.

Usage: python -m spikeport.targets.lava.worker FOLDER TOKEN PARENT [CONV_MODEL]

CONV_MODEL is `module:class`, another model for Lava's convolution than ours.
FOLDER holds `graph.spg` and `frames.npy`, and gets `kept.npz`, or `error.json` on failure.
It runs in an interpreter of its own since Lava changes the start method of multiprocessing for
good, forks a process per Lava process, and leaves hanging children behind when one of them fails.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import traceback
from multiprocessing import shared_memory
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from spikeport.core.errors import SpikeportError
from spikeport.core.files import write_json
from spikeport.targets.lava.exchange import ERROR, FRAMES, GRAPH, KEPT

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run; the exit status is 0 if `kept.npz` was written, else 1."""
    folder, token, parent = Path(arguments[0]), arguments[1], int(arguments[2])
    die_with_parent()
    if os.getppid() != parent:  # it died before we could ask to be told
        return 1
    os.register_at_fork(after_in_child=die_with_parent)
    # Names of segments start with the token, so that the guard can remove them after a kill.
    shared_memory._SHM_NAME_PREFIX = f"/{token}_"  # type: ignore[attr-defined]
    multiprocessing.set_start_method("fork")
    started = monotonic()
    try:
        _run(folder, arguments[3] if len(arguments) > 3 else "")
    except BaseException as error:
        write_json(folder / ERROR, _description(error, monotonic() - started))
        return 1
    return 0


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it ends (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def _run(folder: Path, conv_model: str) -> None:
    import torch

    from spikeport.convert.graph import Graph
    from spikeport.targets.lava.retime import retime
    from spikeport.targets.lava.shim import import_lava

    # Threads of a pool do not survive a fork, and what waits for them hangs.
    torch.set_num_threads(1)
    import_lava()
    from spikeport.targets.lava import ops as _ops  # noqa: F401  registers what the graph holds
    from spikeport.targets.lava.conv_models import model_named
    from spikeport.targets.lava.network import build_network
    from spikeport.targets.lava.supervisor import run_network

    graph = Graph.load(folder / GRAPH)
    frames = torch.from_numpy(np.load(folder / FRAMES, allow_pickle=False))
    network = build_network(graph, retime(graph), frames, folder)
    seconds = run_network(network, model_named(conv_model))
    kept: dict[str, Any] = {
        f"value_{index}": network.unstreamed(np.load(folder / f"sink_{index}.npy"))
        for index in range(len(network.sinks))
    }
    names = np.array(list(network.sinks))
    temporary = folder / f".{KEPT}"
    with temporary.open("wb") as file:
        np.savez(file, names=names, seconds=np.array(seconds), **kept)
    os.replace(temporary, folder / KEPT)


def _description(error: BaseException, seconds: float) -> dict[str, Any]:
    told = error if isinstance(error, SpikeportError) else None
    return {
        "why": told.why if told else f"{type(error).__name__}: {error}",
        "where": told.where if told else "",
        "fix": told.fix if told else "",
        "process": getattr(error, "process", ""),
        "details": getattr(error, "details", "") if told else traceback.format_exc(),
        "seconds": seconds,
    }


if __name__ == "__main__":
    # Children of a failed run would make an ordinary exit wait for them; the guard kills them.
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
