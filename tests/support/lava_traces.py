"""What a run on Lava's runtime leaves behind: processes, shared memory, files."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spikeport.targets.lava import guard, runtime

MARK = "SPIKEPORT_TEST_RUN"


@dataclass
class Traces:
    """Of all runs that were started since `watched()`.

    Attributes:
        scratch: the folder for temporary files.
        mark: value of the environment variable `MARK` of all processes.
        tokens: names of the runs, with which their shared memory starts.
    """

    scratch: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    tokens: list[str] = field(default_factory=list)

    def processes(self) -> list[int]:
        """Those that were started with the mark, forks included."""
        wanted, found = f"{MARK}={self.mark}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                    values = (entry / "environ").read_bytes().split(b"\0")
                    if wanted in values and state not in "ZX":
                        found.append(int(entry.name))
        return found

    def shared_memory(self) -> list[Path]:
        return [path for token in self.tokens for path in guard.SHARED_MEMORY.glob(f"*{token}*")]

    def files(self) -> list[Path]:
        return list(self.scratch.rglob("*"))

    def assert_none(self) -> None:
        assert self.processes() == []
        assert self.tokens
        assert self.shared_memory() == []
        assert self.files() == []


@contextlib.contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    # Not pytest's folder: paths of sockets in it would be too long.
    traces = Traces(Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp")))
    monkeypatch.setenv(MARK, traces.mark)
    monkeypatch.setattr(tempfile, "tempdir", str(traces.scratch))

    def remembered() -> str:
        traces.tokens.append(guard.new_token())
        return traces.tokens[-1]

    monkeypatch.setattr(runtime, "new_token", remembered)
    try:
        yield traces
    finally:
        shutil.rmtree(traces.scratch, ignore_errors=True)
