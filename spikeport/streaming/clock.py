"""The time that windows are due at."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds, and a way to wait for them."""

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class WallClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
