"""Progress bars: after two seconds, and only where somebody watches a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")
SHOW_AFTER_SECONDS = 2.0


@contextlib.contextmanager
def working(description: str) -> Iterator[None]:
    """Show a spinner on standard error while one long step runs that cannot tell how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    status = Console(stderr=True).status(description)
    timer = threading.Timer(SHOW_AFTER_SECONDS, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # A timer that fires at this very moment must have started the spinner before it stops.
        timer.join()
        status.stop()


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield the items; show a bar on standard error once the loop has run for two seconds."""
    if not sys.stderr.isatty():
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    started = time.monotonic()
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = progress.add_task(description, total=total)
    shown = False
    try:
        for item in items:
            if not shown and time.monotonic() - started > SHOW_AFTER_SECONDS:
                progress.start()
                shown = True
            yield item
            progress.advance(task)
    finally:
        if shown:
            progress.stop()
