"""When a network goes back to rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spikeport.core.errors import UsageError
from spikeport.train.data.stream import ByTime, parse_duration


@dataclass(frozen=True)
class StateRule:
    """When the network goes back to rest.

    Attributes:
        every: after so many windows that it has seen; never if None.
        gap_us: after so long without an event, and windows begin anew; never if None.
    """

    every: int | None = None
    gap_us: int | None = None

    @classmethod
    def parse(cls, text: str) -> StateRule:
        """`keep`, `reset:N`, `gap:100ms`, or the last two with a comma in between.

        Raises:
            UsageError: it is none of them.
        """
        every: int | None = None
        gap: int | None = None
        for part in text.split(",") if text != "keep" else ():
            name, _, value = part.strip().partition(":")
            if name == "reset" and re.fullmatch(r"[1-9]\d{0,8}", value) and every is None:
                every = int(value)
            elif name == "gap" and gap is None:
                gap = parse_duration(value, "state")
            else:
                raise UsageError(
                    f"{text!r} says nothing about states.",
                    where="state",
                    fix="Write keep, reset:4 (every 4 windows), gap:100ms, or reset:4,gap:100ms.",
                )
        return cls(every, gap)

    def __str__(self) -> str:
        told = [
            *([f"reset every {self.every} windows"] if self.every else []),
            *([f"reset after {ByTime(self.gap_us)} without events"] if self.gap_us else []),
        ]
        return " and ".join(told) or "kept from the first event on"
