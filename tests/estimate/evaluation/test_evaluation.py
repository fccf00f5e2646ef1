"""Whole evaluations of small networks."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import slow_batches
import torch
from heads import with_head
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Input, Linear, Mean, MeanTime, Threshold
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError
from spikeport.estimate import ENERGY_MODELS, Evaluation, Tally, accuracy, evaluate
from spikeport.estimate.api import energy
from spikeport.estimate.evaluation import session as sessions
from spikeport.estimate.evaluation.timing import measure

MODEL = "horowitz45-fp32"


def evaluated(graph: Graph, batch: int = 7, **options: Any) -> Evaluation:
    weight = graph["head"].op.tensors()["weight"].roll(-1, 1)
    executors = {
        "one": Interpreter(graph, torch.float64),
        "b:two": Interpreter(with_head(graph, -weight), torch.float64),
    }
    return evaluate(executors, slow_batches.Batches(batch), **options)


def whole_batch() -> tuple[Tensor, Tensor]:
    frames, labels, _ = slow_batches.Batches(slow_batches.SAMPLES)[0]
    return frames, labels


def test_every_prefix_costs_what_a_shorter_run_is_counted_and_charged(net: Graph) -> None:
    found = evaluated(net, energy=MODEL, curve=True)
    frames, labels = whole_batch()
    executor = Interpreter(net, torch.float64)
    for row in found.targets["one"].curve:
        counted = Tally(net)
        counted.run(executor, frames[: row.steps])
        report = energy(counted, MODEL)
        assert row.sop == pytest.approx(report.totals["sop"], rel=1e-14)
        assert row.energy_uj == pytest.approx(report.totals["energy_uJ"], rel=1e-14)
        right = accuracy(executor, [(frames[: row.steps], labels)])
        assert (row.right.hits, row.right.count) == (right.correct, 48)
    last, result = found.targets["one"].curve[-1], found.targets["one"]
    assert result.sop is not None and result.energy_uj is not None
    assert last.sop == pytest.approx(result.sop.mean)
    assert last.energy_uj == pytest.approx(result.energy_uj.mean)
    # All samples to the end: the whole energy. The sums are those of single samples.
    never = evaluated(net, energy=MODEL, exits=[1.0]).targets["one"].exits
    assert never[0].steps == 4.0 and never[0].saved == pytest.approx(0.0, abs=1e-12)
    assert never[0].energy_uj == pytest.approx(last.energy_uj, rel=1e-12)
    at_once = evaluated(net, energy=MODEL, exits=[1e-9]).targets["one"].exits
    assert at_once[0].steps == 1.0
    assert at_once[0].energy_uj == pytest.approx(found.targets["one"].curve[0].energy_uj)


def test_batches_and_pieces_change_nothing(net: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluated(net, 48, energy=MODEL, curve=True)
    monkeypatch.setattr(sessions, "WATCHED_BYTES", 1 << 15)
    second = evaluated(net, 5, energy=MODEL, curve=True)
    assert first.as_json() == second.as_json()
    assert first.predictions().equals(second.predictions())
    # Nor does watching.
    plain = evaluated(net, 48)
    assert plain.predictions().equals(first.predictions())


def test_targets_are_compared_in_pairs(net: Graph) -> None:
    found = evaluated(net)
    (pair,) = found.agreements
    one, two = (found.targets[name].answers for name in ("one", "b:two"))
    assert (pair.first, pair.second) == ("one", "b:two")
    same = sum(a == b for a, b in zip(one.predictions, two.predictions, strict=True))
    assert 0 < same < 48 and pair.same.hits == same
    assert pair.change.difference == pytest.approx(two.top1 - one.top1)
    told = found.as_json()["targets"]
    assert told["one"]["agreement"] == 1.0
    assert told["b:two"]["agreement"] == same / 48
    assert told["b:two"]["mcnemar_p"] == pair.change.p_value


def test_files(net: Graph, tmp_path: Path) -> None:
    found = evaluated(net, energy=MODEL, curve=True, timing=True, class_names="xyz")
    names = {path.name for path in found.save(tmp_path)}
    assert names == {path.name for path in tmp_path.iterdir()}
    assert {"confusion_one.svg", "confusion_b-two.png", "accuracy_energy.svg"} <= names
    told = json.loads((tmp_path / "evaluation.json").read_text())
    assert told == found.as_json()
    assert set(told["timing"]) == {"one", "b:two"}
    rows = pd.read_csv(tmp_path / "predictions.csv")
    assert rows["sample"].tolist() == list(range(48))
    assert rows["prediction[one]"].tolist() == list(found.targets["one"].answers.predictions)
    table = pd.read_csv(tmp_path / "confusion_b-two.csv", index_col="label")
    assert list(table.columns) == list(table.index) == ["x", "y", "z"]
    assert int(table.to_numpy().sum()) == 48
    curve = pd.read_csv(tmp_path / "curve.csv")
    assert curve["steps"].tolist() == [1, 2, 3, 4] * 2
    assert (curve["accuracy_low"] <= curve["accuracy"]).all()
    per_class = pd.read_csv(tmp_path / "classes.csv")
    assert per_class.groupby("target")["samples"].sum().tolist() == [48, 48]
    assert pd.read_csv(tmp_path / "reliability.csv").groupby("target").size().tolist() == [15, 15]
    assert set(found.table()["target"]) == {"one", "b:two"}


def test_energy_that_depends_on_all_steps_is_not_told_for_fewer() -> None:
    graph = Graph()
    graph.add("x", Input((2, 6, 6), Domain.GRADED, True))
    graph.add("space", Mean((1, 2)), ["x"])
    graph.add("lif", LIF(2.0, True, 0.1, 0.0), ["space"])
    graph.add("mean", MeanTime(), ["lif"])
    graph.add("often", Threshold(torch.tensor(0.3), strict=True), ["mean"])
    graph.add("head", Linear(torch.randn(3, 2), None), ["often"], path="net.head")
    graph.outputs = ("head",)
    found = evaluate({"n": Interpreter(graph)}, slow_batches.Batches(7), energy=MODEL, curve=True)
    result = found.targets["n"]
    assert result.late == ("often", "net.head")
    assert all(row.energy_uj is None and row.sop is None for row in result.curve)
    assert all(row.energy_uj is None for row in result.exits)
    assert result.energy_uj is not None and result.energy_uj.mean > 0
    assert found.as_json()["targets"]["n"]["energy"]["depends_on_all_steps"][-1] == "net.head"


def test_frames_are_streamed(net: Graph) -> None:
    alive: list[weakref.ref[Tensor]] = []
    most = 0

    def batches():
        nonlocal most
        for index in range(100):
            frames = torch.full((4, 10, 2, 6, 6), float(index % 3))
            alive.append(weakref.ref(frames))
            yield frames, torch.zeros(10, dtype=torch.int64)
            del frames
            most = max(most, sum(each() is not None for each in alive))

    found = evaluate({"net": Interpreter(net)}, batches(), energy=MODEL, curve=True)
    assert len(found.samples) == 1000
    # The first one is kept to be timed, one is at work.
    assert most <= 2


def test_what_is_kept_of_a_sample_is_small(net: Graph) -> None:
    wanted = sessions.Wanted(curve=True)
    session = sessions.Session(Interpreter(net), wanted)
    frames, labels = whole_batch()
    for index in range(21):
        session.add(index, session.running(frames, labels, range(48)))
    size = sum(array.nbytes for part in session.kept.values() for array in part.state().values())
    assert size / (21 * 48) < 150


def test_a_batch_that_cannot_be_added_leaves_nothing(net: Graph) -> None:
    wanted = sessions.Wanted(energy=ENERGY_MODELS[MODEL])
    session = sessions.Session(Interpreter(net), wanted)
    frames, labels = whole_batch()
    found = session.running(frames, labels, range(48))
    longer = session.running(torch.cat([frames, frames]), labels, range(48))
    with pytest.raises(UsageError, match="cannot be counted together"):
        session.add(0, replace(found, counted=(*found.counted, *longer.counted)))
    assert session.tally is not None and session.tally.samples == 0
    assert len(session.accuracy.records) == 0


def test_timing_says_what_it_timed(net: Graph) -> None:
    frames, _ = whole_batch()
    found = measure(Interpreter(net), frames)
    assert (found.batch, found.events) == (48, int(frames.sum()))
    assert 1 <= found.passes <= 5 and 1 <= found.alone <= 50
    assert 0 < found.p50 <= found.p95
    assert found.samples_per_second == 48 / found.seconds
    assert found.events_per_second == found.events / found.seconds


@pytest.mark.slow
def test_processes_change_nothing(net: Graph) -> None:
    here = evaluated(net, energy=MODEL, curve=True)
    there = evaluated(net, energy=MODEL, curve=True, workers=2)
    assert there.as_json() == here.as_json()
    assert there.predictions().equals(here.predictions())


def test_what_cannot_be_shared_out_is_refused(net: Graph) -> None:
    class Local(Interpreter):
        pass

    with pytest.raises(UsageError, match="cannot be given to another process"):
        evaluate({"net": Local(net)}, slow_batches.Batches(7), workers=2)
    with pytest.raises(UsageError, match="stream"):
        evaluate({"net": Interpreter(net)}, iter(slow_batches.Batches(7)), workers=2)


def test_refusals(net: Graph) -> None:
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate({}, [])
    with pytest.raises(UsageError, match="no sample"):
        evaluate({"net": Interpreter(net)}, [])
    with pytest.raises(UnknownNameError):
        evaluated(net, energy="horowitz")
    with pytest.raises(UsageError, match="confidence"):
        evaluated(net, exits=[2.0])
    image = Graph()
    image.add("x", Input((4,), Domain.REAL, False))
    image.add("head", Linear(torch.ones(3, 4), None), ["x"])
    image.outputs = ("head",)
    batch = (torch.ones(2, 4), torch.tensor([0, 1]))
    with pytest.raises(UnsupportedError, match="exists at each time step"):
        evaluate({"net": Interpreter(image)}, [batch], curve=True)
    assert evaluate({"net": Interpreter(image)}, [batch]).steps is None
