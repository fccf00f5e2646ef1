"""Many runs of Lava's runtime in a row, some of which fail on purpose."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import pytest
from lava_faults import FAULTS
from lava_traces import watched

from spikeport.targets.lava import LavaRunError, run_on_lava
from spikeport.targets.lowered import run_executor
from spikeport.targets.parity import compare

RUNS = 200
BROKEN = 20
LONGEST = 60.0
"""Seconds that a run may take, without a deadline that would end it: a hang takes for ever."""


@pytest.mark.slow
@pytest.mark.timeout(RUNS * LONGEST)
def test_two_hundred_runs(small_chain, tmp_path, monkeypatch, capsys):
    graph, frames = small_chain.artefact.graph, small_chain.frames
    expected = run_executor(small_chain.artefact.executor(), frames, "integer")
    faults = list(FAULTS.items())[:BROKEN]
    assert len(faults) == BROKEN
    open_files = _open_files()
    broken: list[str] = []
    longest, started = 0.0, time.monotonic()
    with watched(monkeypatch) as traces:
        for run in range(RUNS):
            begun = time.monotonic()
            if run % (RUNS // BROKEN) == 3:
                name, fault = faults[len(broken)]
                with pytest.raises(LavaRunError) as failure:
                    run_on_lava(
                        graph, frames, deadline=fault.deadline, worker=fault.worker(tmp_path)
                    )
                assert failure.value.process == fault.process, name
                assert fault.why in failure.value.why, name
                assert fault.details in failure.value.details, name
                broken.append(name)
            else:
                ran = run_on_lava(graph, frames, deadline=10 * LONGEST)
                result = compare(expected, ran)
                result.require()
                assert not result.silent
            traces.assert_none()
            longest = max(longest, time.monotonic() - begun)
            assert longest < LONGEST
    assert len(broken) == BROKEN
    assert len(set(traces.tokens)) == RUNS
    assert _open_files() == open_files
    seconds = time.monotonic() - started
    with capsys.disabled():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(
            f"\n{RUNS} runs, {BROKEN} of them broken: {seconds:.0f} s, {seconds / RUNS:.2f} s per "
            f"run, the longest {longest:.1f} s; this program holds {peak:.0f} MiB\n"
        )


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
