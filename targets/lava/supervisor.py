"""Running a network on Lava's runtime while watching its processes.

Lava hangs without a word when a process model fails. Here every process is watched while the
runtime works. Uses private attributes of lava-nc 0.10.0. Imports Lava: use only after
`shim.import_lava()`, in a process that may be thrown away afterwards.
"""

from __future__ import annotations

import time
import traceback
from typing import Any

from spikeport.targets.lava.actors import (
    FIX,
    POLL_SECONDS,
    await_explanation,
    check_actors,
    failed,
    supervised,
)
from spikeport.targets.lava.discovery import remembered_models
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.network import Network, run_config

CHANNEL_SLOTS = 2
"""Messages that a channel can hold; Lava's 64 take hundreds of megabytes of shared memory."""


def run_network(network: Network, conv_model: type[Any] | None = None) -> float:
    """Run a network to its end; its sinks have written their files then.

    Its processes are left to whoever ends this one: stopping them in order takes seconds, and
    hangs where one of them does not answer.

    Args:
        conv_model: another model for Lava's `Conv` than `FastConvModel`.

    Returns:
        seconds the steps took, without compiling and starting.

    Raises:
        LavaRunError: a process model raised or a process died; names it, with its traceback.
        UsageError: the network has run already.
    """
    from lava.magma.core.run_conditions import RunSteps

    network.take()
    root: Any = network.processes[0]
    config = run_config(conv_model)
    started = time.monotonic()
    try:
        _start(root, config, started)
        begun = time.monotonic()
        condition = RunSteps(num_steps=network.steps, blocking=False)
        root.run(condition=condition, run_cfg=config)
        _watch(root.runtime, started)
        return time.monotonic() - begun
    finally:
        if root.runtime is not None:
            # Or it would try to stop its processes when it is collected, and hang.
            root.runtime._is_started = False


def _start(root: Any, config: Any, started: float) -> None:
    try:
        with remembered_models(), supervised(started):
            root.create_runtime(run_cfg=config, compile_config={"pypy_channel_size": CHANNEL_SLOTS})
    except LavaRunError:
        raise
    except Exception as error:
        raise LavaRunError(
            f"the network could not be started: {type(error).__name__}: {error}",
            fix=FIX,
            details=traceback.format_exc(),
            seconds=time.monotonic() - started,
        ) from error


def _watch(runtime: Any, started: float) -> None:
    """Return when the runtime reports the end of the run.

    Raises:
        LavaRunError: a process failed before.
    """
    while not all(port.probe() for port in runtime.service_to_runtime):
        check_actors(runtime, started)
        time.sleep(POLL_SECONDS)
    from lava.magma.runtime.mgmt_token_enums import (
        MGMT_RESPONSE,
        enum_equal,
    )

    answers = [port.recv() for port in runtime.service_to_runtime]
    if not all(enum_equal(answer, MGMT_RESPONSE.DONE) for answer in answers):
        await_explanation(runtime, started)
        raise failed("runtime service", f"it answered {answers}", "", started)
