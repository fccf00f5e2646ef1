"""Workers, kills and resumed runs change no number."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import slow_batches
import torch

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import FileError, UsageError
from spikeport.estimate import Progress, SampleFile, Tally, estimate
from spikeport.estimate.report import EnergyReport

SCRIPT = Path(slow_batches.__file__)


def counted(graph: Graph, batch: int = 16, **options: Any) -> EnergyReport:
    batches = slow_batches.Batches(batch)
    return estimate(Interpreter(graph, torch.float64), batches, **options)


def same(first: EnergyReport, second: EnergyReport) -> None:
    assert first.counts.equals(second.counts)
    assert first.layers.equals(second.layers)
    assert first.totals == second.totals
    assert first.steps.equals(second.steps)


def test_batch_sizes_and_order(small_net: Graph) -> None:
    whole = counted(small_net)
    assert whole.totals["sop"] > 0
    for batch in (1, 3):
        same(whole, counted(small_net, batch))
    executor = Interpreter(small_net, torch.float64)
    order = torch.randperm(48, generator=torch.Generator().manual_seed(0)).tolist()
    same(whole, estimate(executor, slow_batches.Batches(5, order=order)))


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_workers(small_net: Graph, workers: int) -> None:
    whole, shared = counted(small_net, 3), counted(small_net, 3, workers=workers)
    same(whole, shared)
    assert shared.accuracy == whole.accuracy


def start(graph: Path, folder: Path, workers: int, *more: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(SCRIPT), str(graph), str(folder), str(workers), "3", *more]
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="lists children through /proc")
@pytest.mark.parametrize("workers", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_killed_and_resumed(small_net: Graph, tmp_path: Path, workers: int) -> None:
    graph, folder = tmp_path / "net.spg", tmp_path / "out"
    small_net.save(graph)
    process = start(graph, folder, workers)
    until = time.monotonic() + 90
    while not (folder / "progress.npz").exists() and time.monotonic() < until:
        time.sleep(0.02)
    started = children(process.pid)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "result.json").exists()
    with np.load(folder / "progress.npz") as stored:
        assert 0 < len(stored["done"]) < 16
    assert len(started) >= workers if workers > 1 else True
    until = time.monotonic() + 20
    while any(alive(pid) for pid in started) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in started)
    resumed = start(graph, folder, workers, "resume")
    _, errors = resumed.communicate(timeout=100)
    assert resumed.returncode == 0, errors.decode()
    whole = counted(small_net, 3, per_sample=SampleFile(tmp_path / "whole.parquet"))
    result = json.loads((folder / "result.json").read_text())
    assert result["counts"] == whole.counts.to_dict(orient="records")
    assert result["totals"] == whole.totals
    assert whole.accuracy is not None
    assert tuple(result["predictions"]) == whole.accuracy.predictions
    rows = pd.read_parquet(folder / "per_sample.parquet")
    assert rows.equals(pd.read_parquet(tmp_path / "whole.parquet"))
    assert rows[rows["node"] == "conv2"]["sample"].tolist() == list(range(48))
    assert rows["sop"].sum() == whole.counts["sop"].sum()


def cut_short(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-20])


def foreign(part: Path) -> None:
    pd.DataFrame({"sample": [1]}).to_parquet(part)


@pytest.mark.parametrize("damage", [cut_short, foreign, Path.unlink])
def test_a_part_that_cannot_be_read_is_named(
    small_net: Graph, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    frames = slow_batches.Batches(16)[0][0]
    rows = SampleFile(tmp_path / "rows.parquet")
    table = Tally.over(Interpreter(small_net), [frames], keep=True).per_sample
    for index in range(2):
        rows.add(index, table)
    rows.path.write_bytes(b"earlier")
    damage(rows.parts / "00000001.parquet")
    with pytest.raises(FileError, match=r"00000001\.parquet: these counts of a batch"):
        rows.finish(2, {})
    assert rows.path.read_bytes() == b"earlier"
    rows.add(1, table)
    rows.finish(2, {})
    assert pd.read_parquet(rows.path)["sample"].nunique() == 32


def test_no_batch_gives_no_file(tmp_path: Path) -> None:
    rows = SampleFile(tmp_path / "rows.parquet")
    with pytest.raises(UsageError, match="no batch"):
        rows.finish(0, {})
    assert not rows.path.exists()


KILLED_WHILE_WRITING = """
import os, signal, sys
from spikeport.convert import Graph, Interpreter
from spikeport.estimate import Progress, SampleFile, estimate
import slow_batches, torch
graph, folder, wanted = sys.argv[1:]
replace = os.replace
def killing(source, target):
    if os.path.basename(target) == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = killing
estimate(
    Interpreter(Graph.load(graph), torch.float64),
    slow_batches.Batches(16),
    progress=Progress(folder + "/progress.npz"),
    per_sample=SampleFile(folder + "/rows.parquet"),
)
"""


@pytest.mark.parametrize("wanted", ["progress.npz", "00000001.parquet", "rows.parquet"])
def test_killed_while_writing(small_net: Graph, tmp_path: Path, wanted: str) -> None:
    folder, graph = tmp_path / "out", tmp_path / "net.spg"
    small_net.save(graph)
    words = [sys.executable, "-c", KILLED_WHILE_WRITING, str(graph), str(folder), wanted]
    path = os.pathsep.join([str(SCRIPT.parent), *sys.path])
    killed = subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert killed.returncode == -signal.SIGKILL

    def left() -> list[str]:
        return [each.name for each in folder.rglob("*.tmp*")]

    (only,) = left()
    assert only.startswith(f".{wanted}.")
    progress = Progress(folder / "progress.npz", resume=True)
    rows = SampleFile(folder / "rows.parquet", resume=True)
    resumed = counted(small_net, progress=progress, per_sample=rows)
    assert left() == []
    same(resumed, counted(small_net))
    rows.remove_parts()
    metadata = pq.read_schema(folder / "rows.parquet").metadata
    assert {key: metadata[key.encode()].decode() for key in resumed.origin} == resumed.origin
    assert sorted(each.name for each in folder.iterdir()) == ["progress.npz", "rows.parquet"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Ended, but not yet collected by whoever inherited it.
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def other_net(graph: Graph) -> Graph:
    graph["head"].op.weight.mul_(2)  # type: ignore[attr-defined]
    return graph


def test_changes_refuse_to_resume_by_name(small_net: Graph, tmp_path: Path) -> None:
    path = tmp_path / "progress.npz"

    def again(graph: Graph = small_net, frames: str = "a", **options: Any) -> EnergyReport:
        progress = Progress(path, resume=True, settings={"frames": frames})
        return counted(graph, progress=progress, **options)

    first = again()
    same(first, again())
    with pytest.raises(UsageError, match=r"in frames \(then a, now b\)"):
        again(frames="b")
    with pytest.raises(UsageError, match=r"in seed \(then 0, now 1\)"):
        again(seed=1)
    with pytest.raises(UsageError, match="in per-sample file"):
        again(per_sample=SampleFile(tmp_path / "rows.parquet"))
    executor = Interpreter(small_net)
    with pytest.raises(UsageError, match="in precision"):
        estimate(
            executor,
            slow_batches.Batches(16),
            progress=Progress(path, resume=True, settings={"frames": "a"}),
        )
    with pytest.raises(UsageError, match="in graph"):
        again(other_net(small_net))


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_damaged_progress_is_refused(small_net: Graph, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "progress.npz"
    counted(small_net, progress=Progress(path))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match="cannot be read"):
        counted(small_net, progress=Progress(path, resume=True))
    counted(small_net, progress=Progress(path))


def test_errors_of_workers_arrive(small_net: Graph) -> None:
    class Local(slow_batches.Batches):
        pass

    executor = Interpreter(small_net)
    with pytest.raises(UsageError, match="cannot be given to another process"):
        estimate(executor, Local(16), workers=2)
    with pytest.raises(UsageError, match="stream"):
        estimate(executor, iter([]), workers=2)
    with pytest.raises(UsageError, match="labels run from"):
        estimate(executor, slow_batches.WrongLabels(16), workers=2)
