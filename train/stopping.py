"""Stopping on request without losing what was done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType


class Stopped(Exception):  # no error: a run that was asked to stop did so
    """A run was asked to stop (SIGTERM) and saved its state.

    Attributes:
        epoch: in which it stopped, counted from 1.
        step: steps of that epoch that are done.
        state: what a resumed run goes on from.
    """

    def __init__(self, epoch: int, step: int, state: Path) -> None:
        super().__init__(f"stopped in epoch {epoch} after {step} steps")
        self.epoch, self.step, self.state = epoch, step, state


@contextlib.contextmanager
def on_sigterm() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGTERM has come; it ends nothing by itself meanwhile.

    Outside of the main thread, where no signal arrives, it always says no.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def note(number: int, frame: FrameType | None) -> None:
        came.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield came.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
