"""Ray on two cores of this machine: nothing is lost, counted twice, or left running."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray_work
import slow_batches
import swept
import torch
from small_nets import small_net

from spikeport.cli.evaluation import Asked, run_evaluation
from spikeport.cli.options import SharingChoice
from spikeport.cluster import by_ray, connected, in_tasks
from spikeport.cluster.sharing import _packed, _unpacked
from spikeport.convert import Graph, Interpreter
from spikeport.core.errors import MissingPackageError, UsageError
from spikeport.estimate import Progress, estimate, evaluate, progress
from spikeport.runs import RunChoice
from spikeport.sweep import parse_grid, sweep


def itself(place: int) -> int:
    return place


# Many processes that import torch: on a busy machine, minutes.
@pytest.mark.timeout(600)
def test_a_cluster_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # One test: starting the cluster takes longer than all that is tried on it.
    # Its processes find what pytest alone put on this one's path.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    before = set(psutil.Process().children())
    with connected(workers=2):
        each_item_comes_once()
        items_are_made_when_their_turn_comes()
        a_killed_process_loses_nothing(tmp_path)
        errors_arrive_with_what_they_say()
        what_cannot_be_sent_is_refused()
        counts_equal_those_of_one_process(small_net(), tmp_path)
        an_evaluation_goes_on_where_it_was_stopped(small_net(), tmp_path, monkeypatch)
        evaluate_prints_what_one_process_finds(tmp_path, monkeypatch, capsys)
        a_sweep_gives_the_rows_of_one_process(tmp_path, monkeypatch)
    _, alive = psutil.wait_procs(set(psutil.Process().children()) - before, timeout=30)
    assert not alive


def each_item_comes_once() -> None:
    found = sorted(in_tasks(ray_work.square, 3, 20, itself))
    assert found == [(index, 3 * index**2) for index in range(20)]


def items_are_made_when_their_turn_comes() -> None:
    made: list[int] = []

    def item(place: int) -> int:
        made.append(place)
        return place

    results = in_tasks(ray_work.square, 1, 100, item)
    next(results)
    # Two cores with two tasks each.
    assert made == [0, 1, 2, 3]
    results.close()


def a_killed_process_loses_nothing(folder: Path) -> None:
    found = [result for _, result in in_tasks(ray_work.dies_once, str(folder), 8, itself)]
    assert (folder / "died").exists()
    assert sorted(found) == list(range(8))


def errors_arrive_with_what_they_say() -> None:
    with pytest.raises(UsageError) as failure:
        list(in_tasks(ray_work.refuses, None, 4, itself))
    assert failure.value.where == "item 2" and failure.value.fix == "Leave them out."
    with pytest.raises(UsageError, match="ZeroDivisionError") as failure:
        list(in_tasks(ray_work.breaks, None, 1, itself))
    assert failure.value.where == "a task on item 0"


def counts_equal_those_of_one_process(net: Graph, folder: Path) -> None:
    executor, batches = Interpreter(net, torch.float64), slow_batches.Batches(5)
    here = estimate(executor, batches)
    there = estimate(executor, batches, workers=by_ray, progress=Progress(folder / "progress.npz"))
    assert there.counts.equals(here.counts) and there.totals == here.totals
    assert there.accuracy == here.accuracy
    # All is done: nothing is counted twice.
    resumed = Progress(folder / "progress.npz", resume=True)
    again = estimate(executor, batches, workers=by_ray, progress=resumed)
    assert again.counts.equals(here.counts)


def what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be given to another process") as failure:
        list(in_tasks(ray_work.square, threading.Lock(), 1, itself))
    assert failure.value.where == "ray"


def an_evaluation_goes_on_where_it_was_stopped(
    net: Graph, folder: Path, patch: pytest.MonkeyPatch
) -> None:
    mark, path, batches = folder / "killed", folder / "half.npz", slow_batches.Batches(5)
    options: dict[str, Any] = {"energy": "horowitz45-fp32", "curve": True}
    here = evaluate({"net": Interpreter(net, torch.float64)}, batches, **options)
    executors = {"net": ray_work.DiesOnce(net, mark)}

    def stopped(*work: Any) -> Iterator[tuple[int, Any]]:
        yield from islice(by_ray(*work), 4)
        raise KeyboardInterrupt

    patch.setattr(progress, "SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        evaluate(executors, batches, workers=stopped, progress=Progress(path), **options)
    assert mark.exists()
    with np.load(path) as stored:
        assert len(stored["done"]) == 4
    there = evaluate(
        executors, batches, workers=by_ray, progress=Progress(path, resume=True), **options
    )
    assert there.as_json() == here.as_json()
    assert there.predictions().equals(here.predictions())


def evaluate_prints_what_one_process_finds(
    folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    swept.tiny_net(0.0).save(folder / "hard.spg")
    chosen = RunChoice(str(folder / "hard.spg"), samples=20)
    asked = Asked("horowitz45-fp32", True, "0.5", False, None, False, 0)
    targets = ["reference", "onnx", "lava"]

    def printed(address: str | None) -> dict[str, Any]:
        capsys.readouterr()
        run_evaluation(chosen, targets, asked, SharingChoice(ray=address), as_json=True)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    patch.setattr("spikeport.runs.BATCH", 6)
    patch.setattr("spikeport.runs.CALIBRATION_SAMPLES", 20)
    # This cluster instead of another one.
    patch.setattr("spikeport.cluster.sharing.connected", lambda *_, **__: nullcontext())
    here, there = printed(None), printed("auto")
    assert here == there and here["targets"]["lava"]["energy"]["uncounted"] == []


def a_sweep_gives_the_rows_of_one_process(folder: Path, patch: pytest.MonkeyPatch) -> None:
    grid = parse_grid(swept.grid(folder), "grid")
    here = sweep(grid, folder / "here.parquet")
    # This cluster instead of another one.
    patch.setattr("spikeport.sweep.run.connected", lambda *_, **__: nullcontext())
    there = sweep(grid, folder / "there.parquet", address="auto")
    assert len(there) == 4 and not any(row.get("error") for row in there)
    assert [swept.without_time(row) for row in there] == [swept.without_time(row) for row in here]


def test_what_numpy_has_no_type_for_is_sent_as_it_is() -> None:
    batch = (torch.ones(2, 3, dtype=torch.bfloat16), torch.arange(3), ["a", "b", "c"])
    half, labels, names = _unpacked(_packed(batch))
    assert half is batch[0] and names is batch[2]
    assert torch.equal(labels, batch[1]) and labels.dtype == batch[1].dtype
    assert _unpacked(_packed("no tuple")) == "no tuple"


def test_no_cluster_at_the_address() -> None:
    with pytest.raises(UsageError, match="no Ray cluster answers"), connected("127.0.0.1:1"):
        pass


def test_ray_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.cluster.connection.find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="not installed"), connected():
        pass


def test_no_times_beside_a_cluster() -> None:
    executor = Interpreter(small_net())
    with pytest.raises(UsageError, match="at rest"):
        evaluate({"net": executor}, slow_batches.Batches(5), timing=True, workers=by_ray)
