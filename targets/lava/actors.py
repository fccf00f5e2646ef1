"""The operating-system processes that Lava's runtime consists of, and what became of each.

Lava passes errors of a process on as pickles, which not every exception survives, waits without
end for a process that died while it started, and takes no notice of one that died later. Here
errors travel as text, and every process is looked at. Uses private attributes of lava-nc 0.10.0.
Imports Lava: use only after `shim.import_lava()`, in a process that may be thrown away afterwards.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
import traceback
from collections.abc import Iterator
from queue import Empty
from typing import Any

from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.guard import manner_of_death

POLL_SECONDS = 0.02
EXPLANATION_SECONDS = 5.0
"""How long a reported error may take to arrive from the process that it happened in."""
ORDERLY_END_SECONDS = 1.0
"""How long a process may have ended in order, among others that run, before it is the failure."""
FIX = "Run the same graph in-process, which shows where the model fails."
NO_MEMORY = (
    "It ran out of memory, of this machine or in /dev/shm: run fewer samples or smaller frames, "
    "or give containers more shared memory (docker run --shm-size)."
)
MEMORY_SIGNALS = ("SIGKILL", "SIGBUS")


@contextlib.contextmanager
def supervised(started: float) -> Iterator[None]:
    """Within this block processes that Lava starts tell what ends them, and starting is watched.

    Args:
        started: `time.monotonic()` at the start of the run.
    """
    from lava.magma.runtime.message_infrastructure.multiprocessing import SystemProcess
    from lava.magma.runtime.runtime import Runtime

    run, start_ports = SystemProcess.run, Runtime._start_ports

    def watched_start(runtime: Any) -> None:
        start_ports(runtime)
        for queue in runtime.exception_q:
            _await_start(runtime, queue, started)
        # Lava would wait for the same answers again, and without looking at who should give them.
        runtime.exception_q.clear()

    SystemProcess.run, Runtime._start_ports = _run, watched_start
    try:
        yield
    finally:
        SystemProcess.run, Runtime._start_ports = run, start_ports


def _run(process: Any) -> None:
    """Body of a process: like Lava's, but whatever ends it is sent as text."""
    try:
        multiprocessing.Process.run(process)
        process._cconn.send(None)
    except BaseException as error:
        told = "".join(traceback.format_exception_only(error)).strip()
        process._cconn.send((told, traceback.format_exc()))


def _await_start(runtime: Any, queue: Any, started: float) -> None:
    """Return when the process that answers in `queue` has built its model."""
    while True:
        check_actors(runtime, started)
        try:
            failure = queue.get(timeout=POLL_SECONDS)
        except Empty:
            continue
        except Exception as error:  # an exception that can be pickled, but not be read again
            failure = error
        if failure is None:
            return
        await_explanation(runtime, started)
        raise failed("", f"a process could not be started: {failure!r}", "", started)


def await_explanation(runtime: Any, started: float) -> None:
    """Give the process that is known to have failed time to tell how.

    Raises:
        LavaRunError: it did.
    """
    patience = time.monotonic() + EXPLANATION_SECONDS
    while time.monotonic() < patience:
        check_actors(runtime, started)
        time.sleep(POLL_SECONDS)


def check_actors(runtime: Any, started: float) -> None:
    """Do nothing if all processes are well.

    Raises:
        LavaRunError: one is not; names it, with its traceback.
    """
    orderly = _first_to_end(runtime, started)
    if orderly is None:
        return
    # Where another one failed in the last step, the rest may have ended before it says so.
    patience = time.monotonic() + ORDERLY_END_SECONDS
    while time.monotonic() < patience:
        time.sleep(POLL_SECONDS)
        _first_to_end(runtime, started)
    raise failed(orderly, "it died with exit status 0", "", started)


def _first_to_end(runtime: Any, started: float) -> str | None:
    """The first process that ended with status 0 and without a word, if none failed.

    Raises:
        LavaRunError: one failed.
    """
    # Actors are started in the order of the builders; runtime services follow.
    names = [process.name for process in runtime._executable.proc_builders]
    orderly = None
    for index, actor in enumerate(runtime._messaging_infrastructure.actors):
        name = names[index] if index < len(names) else "runtime service"
        # In this order: what a process says while it dies must not be missed.
        alive, failure = actor.is_alive(), actor.exception
        if failure is not None:
            told, details = failure
            raise failed(name, f"its model raised {told}", details, started)
        if alive:
            continue
        if actor.exitcode == 0:
            orderly = orderly or name
            continue
        end = manner_of_death(actor.exitcode)
        fix = NO_MEMORY if end in MEMORY_SIGNALS else FIX
        raise failed(name, f"it died with {end}", "", started, fix)
    return orderly


def failed(name: str, why: str, details: str, started: float, fix: str = FIX) -> LavaRunError:
    """The error for a process that failed."""
    seconds = time.monotonic() - started
    return LavaRunError(f"{why}.", process=name, fix=fix, details=details, seconds=seconds)
