"""The guarded runtime: whatever fails is named, and nothing is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lava_faults import FAULTS, Fault
from lava_traces import MARK, Traces, watched

from spikeport.core.errors import UsageError
from spikeport.targets.lava import LavaRunError, run_on_lava
from spikeport.targets.lava.guard import manner_of_death, members_of, new_token, run_guarded
from spikeport.targets.lava.interrupts import orderly_termination, uninterrupted
from spikeport.targets.lowered import run_executor
from spikeport.targets.parity import compare


@pytest.fixture
def traces(monkeypatch):
    with watched(monkeypatch) as found:
        yield found


def assert_fails_as_told(case, fault: Fault, folder: Path) -> None:
    with pytest.raises(LavaRunError) as failure:
        run_on_lava(
            case.artefact.graph, case.frames, deadline=fault.deadline, worker=fault.worker(folder)
        )
    error = failure.value
    assert error.process == fault.process, error
    assert fault.why in error.why
    assert fault.details in error.details
    assert error.fix
    assert error.deadline == fault.deadline
    assert f"{fault.deadline:.0f} s allowed" in str(error)
    if "in time" in fault.why:
        assert fault.deadline <= error.seconds < fault.deadline + 13
    else:
        assert 0 < error.seconds < fault.deadline
    assert str(error).startswith(fault.process or "Lava runtime")


def slowly(value: str) -> object:
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "name", [name if fault.quick else slowly(name) for name, fault in FAULTS.items()]
)
def test_failing_process_is_named(small_chain, tmp_path, traces, name):
    assert_fails_as_told(small_chain, FAULTS[name], tmp_path)
    traces.assert_none()


def test_worker_that_says_nothing(small_chain, tmp_path, traces):
    script = tmp_path / "mute.py"
    script.write_text("import os; print('last words', flush=True); os._exit(3)")
    with pytest.raises(LavaRunError, match="exit status 3") as failure:
        run_on_lava(small_chain.artefact.graph, small_chain.frames, worker=(str(script),))
    assert "last words" in failure.value.details
    traces.assert_none()


def test_modules_are_found_where_the_caller_finds_them(small_chain, tmp_path, monkeypatch):
    """And not in the folder where a command was called."""
    here, library = tmp_path / "here", tmp_path / "library"
    for folder in (here, library):
        folder.mkdir()
    (here / "queue.py").write_text("raise SystemExit('a module of the user ran')")
    (library / "users_model.py").touch()
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(library)
    program = ("-c", "import queue, users_model; raise SystemExit(7)")
    with pytest.raises(LavaRunError, match="exit status 7"):
        run_on_lava(small_chain.artefact.graph, small_chain.frames, worker=program)


def test_whatever_the_program_around_it_did(small_chain, traces, monkeypatch):
    """Start method chosen, long folder names, several runs at a time, from threads."""
    expected = run_executor(small_chain.artefact.executor(), small_chain.frames, "integer")
    long = traces.scratch / ("long" * 30)
    long.mkdir()
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(run_on_lava, small_chain.artefact.graph, small_chain.frames)
                for _ in range(2)
            ]
            ran = [job.result() for job in jobs]
        assert multiprocessing.get_start_method() == "spawn"
        monkeypatch.setattr("tempfile.tempdir", str(long))
        ran.append(run_on_lava(small_chain.artefact.graph, small_chain.frames))
    finally:
        multiprocessing.set_start_method(before, force=True)
    assert all(compare(expected, each).equal for each in ran)
    assert len(set(traces.tokens)) == 3
    long.rmdir()
    traces.assert_none()


PROGRAM = """
import torch
from spikeport.convert import Graph
from spikeport.targets.lava import ops, runtime, run_on_lava
runtime.new_token = lambda: {token!r}
graph = Graph.load({graph!r})
run_on_lava(graph, torch.zeros(3, 1, 2, 6, 6), worker={worker!r})
"""


@pytest.mark.parametrize("end", ["SIGINT", "SIGTERM", slowly("SIGHUP"), "SIGKILL"])
def test_ended_program_leaves_nothing(small_chain, tmp_path, traces, end):
    """Not even where it cannot clean up: the kernel ends its children, and theirs."""
    graph, begun, token = tmp_path / "graph.spg", tmp_path / "begun", new_token()
    small_chain.artefact.graph.save(graph)
    hang = f"def compute(self, value):\n    open({str(begun)!r}, 'w').close(); time.sleep(3600)\n"
    fault = Fault(f"{hang}MaxPoolModel.compute = compute", "", "")
    traces.tokens.append(token)
    program = PROGRAM.format(token=token, graph=str(graph), worker=fault.worker(tmp_path))
    environment = os.environ | {"TMPDIR": str(traces.scratch), MARK: traces.mark}
    parent = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        _wait(begun.exists, 90)
        assert len(traces.processes()) > 5
        assert traces.shared_memory()
        assert traces.files()
        number = signal.Signals[end]
        parent.send_signal(number)
        told = parent.communicate(timeout=30)[1]
    finally:
        parent.kill()
        parent.wait()
    # Python ends itself by the signal after Ctrl-C, as a shell expects.
    assert parent.returncode == -number
    assert ("KeyboardInterrupt" in told) == (end == "SIGINT")
    # If it could not clean up, others do it a moment later; its folder is in the hands of nobody.
    patience = 20 if end == "SIGKILL" else 0.5
    _wait(lambda: not traces.processes() and not traces.shared_memory(), patience)
    assert end == "SIGKILL" or traces.files() == []


def _wait(condition, seconds: float) -> None:
    patience = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.1)


def test_second_interrupt_waits_for_the_clean_up(tmp_path, traces, monkeypatch):
    """Ctrl-C while waiting, and again while cleaning up."""
    traces.tokens.append(new_token())
    [token] = traces.tokens
    script = tmp_path / "forks.py"
    script.write_text(
        f"import os, time; open('/dev/shm/{token}_test', 'w').close(); os.fork(); time.sleep(3600)"
    )
    plain = os.killpg

    def interrupted(group, number):
        signal.raise_signal(signal.SIGINT)
        plain(group, number)

    monkeypatch.setattr(os, "killpg", interrupted)
    started = threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT))
    started.start()
    with pytest.raises(KeyboardInterrupt):
        run_guarded(
            [sys.executable, str(script)],
            deadline=60,
            token=token,
            log=tmp_path / "log",
            environment=os.environ,
        )
    traces.assert_none()


def test_requests_to_end_wait_and_then_are_met():
    seen: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append("term"))
    try:
        with orderly_termination(), uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            assert not seen
        assert seen == ["term"]
    finally:
        signal.signal(signal.SIGTERM, before)

    def interrupted() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            seen.append("still here")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen[-1] == "still here"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_manner_of_death():
    assert [manner_of_death(code) for code in (7, 0, -9, -11, -250)] == [
        "exit status 7", "exit status 0", "SIGKILL", "SIGSEGV", "signal 250",
    ]  # fmt: skip


def test_members_of_a_group():
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        assert members_of(process.pid) == [process.pid]
    finally:
        process.kill()
    _wait(lambda: members_of(process.pid) == [], 5)  # a zombie until it is waited for
    process.wait()


def test_traces_are_seen(traces: Traces):
    """The instrument that the other tests rely on."""
    traces.tokens.append(new_token())
    traces.assert_none()
    segment = Path(f"/dev/shm/{traces.tokens[0]}_test")
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        segment.touch()
        (traces.scratch / "file").touch()
        assert traces.processes() == [process.pid]
        assert traces.shared_memory() == [segment]
        assert traces.files() == [traces.scratch / "file"]
    finally:
        segment.unlink()
        process.kill()
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
