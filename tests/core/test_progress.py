"""Progress: nothing unless somebody watches a terminal, and only after two seconds."""

import os
import pty
import subprocess
import sys

import pytest

from spikeport.core.progress import track, working

ON_A_TERMINAL = """
import time
from spikeport.core import progress
progress.SHOW_AFTER_SECONDS = {after}
for _ in progress.track(range(3), "Counting"):
    time.sleep(0.1)
with progress.working("Tracing"):
    time.sleep(0.4)
"""


def on_a_terminal(after: float) -> str:
    main, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    code = ON_A_TERMINAL.format(after=after)
    subprocess.run([sys.executable, "-c", code], stderr=side, env=environment, timeout=60)
    os.close(side)
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    os.close(main)
    return shown.decode()


def test_a_terminal_sees_long_work() -> None:
    shown = on_a_terminal(after=0.05)
    assert "Counting" in shown
    assert "Tracing" in shown


def test_a_terminal_does_not_see_short_work() -> None:
    assert on_a_terminal(after=2.0) == ""


def test_nobody_sees_progress_where_there_is_no_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikeport.core.progress.SHOW_AFTER_SECONDS", 0.0)
    assert list(track(range(3), "Counting")) == [0, 1, 2]
    with working("Tracing"):
        pass
    assert capfd.readouterr() == ("", "")
