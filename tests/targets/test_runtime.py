"""The guarded runtime: whatever fails is named, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikeport.core.errors import UsageError
from spikeport.targets.lava import LavaRunError, run_on_lava
from spikeport.targets.lava.guard import members_of, new_token, run_guarded

FAULTY_WORKER = """
import os, sys, time
from spikeport.targets.lava.shim import import_lava
import_lava()
from spikeport.targets.lava.processes.max_pool import MaxPoolModel

def compute(self, value):
    {fault}

MaxPoolModel.compute = compute
from spikeport.targets.lava.worker import main
os._exit(main(sys.argv[1:]))
"""


def faulty(folder: Path, fault: str) -> tuple[str, ...]:
    script = folder / "faulty_worker.py"
    script.write_text(FAULTY_WORKER.format(fault=fault))
    return (str(script),)


def running(marker: Path) -> list[int]:
    """Processes whose command line names a file in this folder (forks inherit it)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if str(marker).encode() in (entry / "cmdline").read_bytes() and state not in "ZX":
                    found.append(int(entry.name))
    return found


@pytest.fixture
def tokens(monkeypatch):
    """Tokens of the runs that a test starts."""
    from spikeport.targets.lava import runtime

    made = []

    def remembered():
        made.append(new_token())
        return made[-1]

    monkeypatch.setattr(runtime, "new_token", remembered)
    return made


def assert_nothing_left(folder: Path, tokens: list[str]) -> None:
    assert running(folder) == []
    assert tokens
    assert [path for token in tokens for path in Path("/dev/shm").glob(f"{token}*")] == []


@pytest.mark.parametrize(
    ("fault", "why", "details"),
    [
        ("raise ValueError('broken on purpose')", "raised ValueError", "broken on purpose"),
        ("os._exit(7)", "exit status 7", ""),
        ("return value", "raised AssertionError", "Mismatch"),
    ],
)
def test_failing_process_is_named(small_chain, tmp_path, tokens, fault, why, details):
    with pytest.raises(LavaRunError) as failure:
        run_on_lava(
            small_chain.artefact.graph,
            small_chain.frames,
            deadline=120,
            worker=faulty(tmp_path, fault),
        )
    error = failure.value
    assert error.process == "pool"
    assert why in error.why
    assert details in error.details
    assert 0 < error.seconds < 120
    assert error.deadline == 120
    assert "120 s allowed" in str(error)
    assert str(error).startswith("pool:")
    assert_nothing_left(tmp_path, tokens)


def test_failing_start_is_told(small_chain, tmp_path, tokens):
    script = faulty(tmp_path, "pass")
    text = Path(script[0]).read_text().replace(
        "MaxPoolModel.compute = compute",
        "def broken(self, params):\n    raise KeyError('no such option')\n"
        "MaxPoolModel.__init__ = broken",
    )  # fmt: skip
    Path(script[0]).write_text(text)
    with pytest.raises(LavaRunError, match=r"could not be started.*no such option"):
        run_on_lava(small_chain.artefact.graph, small_chain.frames, deadline=120, worker=script)
    assert_nothing_left(tmp_path, tokens)


def test_hanging_run_is_killed(small_chain, tmp_path, tokens):
    with pytest.raises(LavaRunError) as failure:
        run_on_lava(
            small_chain.artefact.graph,
            small_chain.frames,
            deadline=12,
            worker=faulty(tmp_path, "time.sleep(3600)"),
        )
    assert "did not end in time" in failure.value.why
    assert 12 <= failure.value.seconds < 25
    assert_nothing_left(tmp_path, tokens)


def test_worker_that_says_nothing(small_chain, tmp_path):
    script = tmp_path / "mute.py"
    script.write_text("import os; print('last words', flush=True); os._exit(3)")
    with pytest.raises(LavaRunError, match="exit status 3") as failure:
        run_on_lava(small_chain.artefact.graph, small_chain.frames, worker=(str(script),))
    assert "last words" in failure.value.details


def test_killed_parent_leaves_nothing(small_chain, tmp_path):
    """Not even when it cannot clean up: the kernel ends its children, and theirs."""
    small_chain.artefact.graph.save(tmp_path / "graph.spg")
    hang = faulty(tmp_path, f"open({str(tmp_path / 'begun')!r}, 'w').close(); time.sleep(3600)")
    program = (
        "import torch\n"
        "from spikeport.targets.lava import ops, run_on_lava\n"
        "from spikeport.convert import Graph\n"
        f"graph = Graph.load({str(tmp_path / 'graph.spg')!r})\n"
        f"run_on_lava(graph, torch.zeros(3, 1, 2, 6, 6), worker={hang!r})\n"
    )
    before = set(Path("/dev/shm").glob("sp*"))
    parent = subprocess.Popen([sys.executable, "-c", program])
    try:
        _wait(lambda: (tmp_path / "begun").exists(), 90)
        assert len(running(tmp_path)) > 3
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    _wait(lambda: not running(tmp_path), 20)
    # Other tests may run beside this one: look only at what is new and whose owner is gone.
    _wait(lambda: not _orphaned(set(Path("/dev/shm").glob("sp*")) - before), 20)


def _orphaned(segments: set[Path]) -> set[Path]:
    alive = b"".join(
        _read(entry / "cmdline") for entry in Path("/proc").iterdir() if entry.name.isdigit()
    )
    return {path for path in segments if path.name.partition("_")[0].encode() not in alive}


def _read(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def _wait(condition, seconds: float) -> None:
    patience = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.1)


def test_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(self, timeout=None):
        if timeout is not None:
            time.sleep(0.5)
            raise KeyboardInterrupt
        return original(self)

    original = subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    token = new_token()
    segment = Path(f"/dev/shm/{token}_test")
    script = tmp_path / "forks.py"
    script.write_text(
        f"import os, time; open({str(segment)!r}, 'w').close(); os.fork(); time.sleep(3600)"
    )
    with pytest.raises(KeyboardInterrupt):
        run_guarded(
            [sys.executable, str(script)],
            deadline=60,
            token=token,
            log=tmp_path / "log",
            environment=os.environ,
        )
    assert running(tmp_path) == []
    assert not segment.exists()


def test_members_of_a_group():
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        assert members_of(process.pid) == [process.pid]
    finally:
        process.kill()
    _wait(lambda: members_of(process.pid) == [], 5)  # a zombie until it is waited for
    process.wait()


def test_deadline_must_be_positive(small_chain):
    with pytest.raises(UsageError, match="deadline"):
        run_on_lava(small_chain.artefact.graph, small_chain.frames, deadline=0)


def test_in_process_failure_is_named(small_chain, monkeypatch):
    from spikeport.targets.lava import run_in_process
    from spikeport.targets.lava.shim import import_lava

    import_lava()
    from spikeport.targets.lava.processes.max_pool import MaxPoolModel

    def broken(self, value):
        raise ValueError("broken on purpose")

    monkeypatch.setattr(MaxPoolModel, "compute", broken)
    with pytest.raises(LavaRunError, match="pool: its model raised ValueError") as failure:
        run_in_process(small_chain.artefact.graph, small_chain.frames)
    assert "Traceback" in failure.value.details
    assert failure.value.deadline is None
