"""A kill in the middle changes no table."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import slow_evaluation

from spikeport.convert.graph import Graph
from spikeport.core.errors import FileError, UsageError
from spikeport.estimate import Progress


def start(graph: Path, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, slow_evaluation.__file__, str(graph), str(folder), *more]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def tables(folder: Path) -> dict[str, bytes]:
    """All files but the times."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    found.pop("progress.npz", None)
    told = json.loads(found["evaluation.json"])
    told.pop("timing")
    return found | {"evaluation.json": json.dumps(told).encode()}


def test_killed_and_resumed(net: Graph, tmp_path: Path) -> None:
    graph, folder, whole = tmp_path / "net.spg", tmp_path / "out", tmp_path / "whole"
    net.save(graph)
    folder.mkdir()
    process = start(graph, folder)
    until = time.monotonic() + 120
    while not (folder / "progress.npz").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "evaluation.json").exists()
    with np.load(folder / "progress.npz") as stored:
        assert 0 < len(stored["done"]) < 16
    resumed = start(graph, folder, "resume")
    _, errors = resumed.communicate(timeout=200)
    assert resumed.returncode == 0, errors.decode()
    slow_evaluation.evaluation(Graph.load(graph)).save(whole)
    assert tables(folder) == tables(whole)


def test_another_run_is_not_gone_on_with(net: Graph, tmp_path: Path) -> None:
    path = tmp_path / "progress.npz"
    first = slow_evaluation.evaluation(net, kept=Progress(path))
    again = slow_evaluation.evaluation(net, kept=Progress(path, resume=True))
    told, same = first.as_json(), again.as_json()
    del told["timing"], same["timing"]
    assert told == same
    net["head"].op.weight.mul_(2)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="graph of float64"):
        slow_evaluation.evaluation(net, kept=Progress(path, resume=True))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FileError, match="cannot be read"):
        slow_evaluation.evaluation(net, kept=Progress(path, resume=True))
