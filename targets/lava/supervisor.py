"""Running a network on Lava's runtime while watching its processes.

Lava hangs without a word when a process model fails. Here every process is watched while the
runtime works. Uses private attributes of lava-nc 0.10.0. Imports Lava: use only after
`shim.import_lava()`, in a process that may be thrown away afterwards.
"""

from __future__ import annotations

import time
import traceback
from typing import Any

from spikeport.targets.lava.discovery import remembered_models
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.network import Network, run_config

CHANNEL_SLOTS = 2
"""Messages that a channel can hold; Lava's 64 take hundreds of megabytes of shared memory."""
POLL_SECONDS = 0.02
EXPLANATION_SECONDS = 5.0
"""How long a reported error may take to arrive from the process that it happened in."""
FIX = "Run the same graph in-process, which shows where the model fails."


def run_network(network: Network) -> float:
    """Run a network to its end; its sinks have written their files then.

    Returns:
        seconds the steps took, without compiling and starting.

    Raises:
        LavaRunError: a process model raised or a process died; names it, with its traceback.
    """
    from lava.magma.core.run_conditions import RunSteps

    root: Any = network.processes[0]
    started = time.monotonic()
    try:
        with remembered_models():
            root.create_runtime(
                run_cfg=run_config(), compile_config={"pypy_channel_size": CHANNEL_SLOTS}
            )
    except Exception as error:
        raise LavaRunError(
            f"the network could not be started: {error}",
            fix=FIX,
            details=getattr(error, "trace", traceback.format_exc()),
            seconds=time.monotonic() - started,
        ) from error
    runtime = root.runtime
    begun = time.monotonic()
    root.run(condition=RunSteps(num_steps=network.steps, blocking=False), run_cfg=run_config())
    _watch(runtime, started)
    seconds = time.monotonic() - begun
    # What `wait()` would do, had its answer not been read already.
    runtime._is_running = False
    root.stop()
    return seconds


def _watch(runtime: Any, started: float) -> None:
    """Return when the runtime reports the end of the run.

    Raises:
        LavaRunError: a process failed before.
    """
    while not all(port.probe() for port in runtime.service_to_runtime):
        _check_actors(runtime, started)
        time.sleep(POLL_SECONDS)
    from lava.magma.runtime.mgmt_token_enums import (
        MGMT_RESPONSE,
        enum_equal,
    )

    answers = [port.recv() for port in runtime.service_to_runtime]
    if all(enum_equal(answer, MGMT_RESPONSE.DONE) for answer in answers):
        return
    patience = time.monotonic() + EXPLANATION_SECONDS
    while time.monotonic() < patience:
        _check_actors(runtime, started)
        time.sleep(POLL_SECONDS)
    raise _failed("runtime service", f"it answered {answers}", "", started)


def _check_actors(runtime: Any, started: float) -> None:
    # Actors are started in the order of the builders; runtime services follow.
    names = [process.name for process in runtime._executable.proc_builders]
    for index, actor in enumerate(runtime._messaging_infrastructure.actors):
        name = names[index] if index < len(names) else "runtime service"
        failure = actor.exception
        if failure is not None:
            error, details = failure
            raise _failed(name, f"its model raised {error!r}", details, started)
        if not actor.is_alive():
            raise _failed(name, f"it died with exit status {actor.exitcode}", "", started)


def _failed(name: str, why: str, details: str, started: float) -> LavaRunError:
    return LavaRunError(
        f"{why}.", process=name, fix=FIX, details=details, seconds=time.monotonic() - started
    )
