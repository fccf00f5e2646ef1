"""Running a program that may hang, fail or litter: deadline, whole group killed, nothing left.

The program gets a session of its own; at the end, however it came, its process group is killed
and its shared memory removed. Linux only, as Lava's runtime is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikeport.targets.lava.interrupts import uninterrupted

SHARED_MEMORY = Path("/dev/shm")
GONE_WITHIN = 10.0
"""Seconds that killed processes get to disappear."""
TAIL = 4000
"""Characters of output kept for error messages."""


@dataclass(frozen=True)
class Outcome:
    """How a guarded program ended.

    Attributes:
        code: exit status; negative signal number if killed; None if the deadline passed.
        seconds: wall time.
        output: the end of what it wrote to standard output and error.
    """

    code: int | None
    seconds: float
    output: str


def new_token() -> str:
    """A name for a run, short enough for the prefix of a shared-memory segment."""
    return f"sp{secrets.token_hex(3)}"


def manner_of_death(code: int) -> str:
    """An exit status, or the name of the signal that killed."""
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def run_guarded(
    command: Sequence[str],
    *,
    deadline: float,
    token: str,
    log: Path,
    environment: Mapping[str, str],
) -> Outcome:
    """Run a command in its own session and wait for it, `deadline` seconds at most.

    Whatever happens, including an exception such as KeyboardInterrupt in here, no process of its
    group and no segment `/dev/shm/<token>*` is left when this returns.

    Args:
        log: file that takes its output.
    """
    started = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    code: int | None = None
    try:
        with log.open("wb") as sink, uninterrupted():
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=dict(environment),
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(deadline)
    finally:
        with uninterrupted():
            if process is not None:
                _kill_group(process)
            _remove_shared_memory(token)
    return Outcome(code, time.monotonic() - started, _tail(log))


def _tail(log: Path) -> str:
    with log.open("rb") as written:
        written.seek(max(0, log.stat().st_size - TAIL))
        return written.read().decode(errors="replace")


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    patience = time.monotonic() + GONE_WITHIN
    while members_of(process.pid) and time.monotonic() < patience:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.01)


def members_of(group: int) -> list[int]:
    """Processes of a group that still run; those that died and only wait to be reaped do not."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name before the last bracket may hold anything; then state, parent, group.
                state, _, pgrp, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(pgrp) == group and state not in "ZX":
                    found.append(int(entry.name))
    return found


def _remove_shared_memory(token: str) -> None:
    for segment in SHARED_MEMORY.glob(f"{token}*"):
        segment.unlink(missing_ok=True)
