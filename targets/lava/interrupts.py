"""Ctrl-C and requests to terminate, while something must be cleaned up.

Handlers belong to the main thread; in another one these blocks do nothing, and need to do nothing,
since exceptions of handlers reach the main thread only.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

REQUESTS = (signal.SIGTERM, signal.SIGHUP)
"""What ends a program on the spot if nobody handles it."""


class _Terminated(BaseException):
    def __init__(self, number: int) -> None:
        self.number = number


def _raise(number: int, _: FrameType | None) -> None:
    raise _Terminated(number)


@contextlib.contextmanager
def orderly_termination() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind this block, with all its clean-up, before they end the program.

    Handlers of the user's are left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [each for each in REQUESTS if signal.getsignal(each) == signal.SIG_DFL]
    for each in ours:
        signal.signal(each, _raise)
    request: int | None = None
    try:
        yield
    except _Terminated as terminated:
        request = terminated.number
    finally:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
    if request is not None:
        signal.raise_signal(request)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP wait until the end of this block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before: dict[int, Any] = {}
    for each in (signal.SIGINT, *REQUESTS):
        if signal.getsignal(each) is not None:  # else it was not set by Python, nor can be restored
            before[each] = signal.signal(each, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in arrived[:1]:
            signal.raise_signal(number)
