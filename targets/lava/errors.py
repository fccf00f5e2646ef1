"""What can go wrong while Lava runs."""

from __future__ import annotations

from spikeport.core.errors import SpikeportError


class LavaRunError(SpikeportError):
    """A run on Lava failed or did not end in time; nothing of it is left behind.

    Args:
        process: name of the Lava process that failed, "" if none can be named.
        details: its traceback, or what the run wrote last.
        seconds: how long the run took until then.
        deadline: how long it was allowed to take, None in-process.
    """

    def __init__(
        self,
        why: str,
        *,
        where: str = "",
        fix: str = "",
        process: str = "",
        details: str = "",
        seconds: float = 0.0,
        deadline: float | None = None,
    ) -> None:
        super().__init__(why, where=where or process, fix=fix)
        self.process, self.details = process, details
        self.seconds, self.deadline = seconds, deadline

    def __str__(self) -> str:
        limit = f" of {self.deadline:g} s allowed" if self.deadline is not None else ""
        text = f"{super().__str__()} (after {self.seconds:.1f} s{limit})"
        return f"{text}\n{self.details.rstrip()}" if self.details else text
