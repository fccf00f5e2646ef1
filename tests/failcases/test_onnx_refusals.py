"""One case for each thing that is not written in ONNX; `lower` refuses what `check` does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from spikeport.convert.check import Status
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    Conv,
    Delay,
    Input,
    Linear,
    MeanTime,
    Neuron,
    RepeatTime,
    Scale,
    Stateless,
)
from spikeport.core.errors import UnsupportedError
from spikeport.targets import check
from spikeport.targets.onnx import lower, written
from spikeport.targets.onnx.lowerings import LOWERINGS

FIRES = LIF(2.0, True, 1.0, 0.0)


def start(*, per_step: bool = True) -> Graph:
    graph = Graph()
    graph.add("x", Input((2, 4), Domain.REAL, per_step))
    return graph


def refused(graph: Graph, node: str, why: str, *, path: str = "") -> None:
    report = check(graph, "onnx")
    assert not report.ok
    assert report[node].status is Status.UNSUPPORTED
    finding = report[node].findings[0]
    assert why in finding.why and finding.fix
    with pytest.raises(UnsupportedError, match="(?s)" + (path or node)) as refusal:
        lower(graph, steps=3)
    assert why in str(refusal.value)


@dataclass(frozen=True, eq=False)
class Foreign(Stateless):
    """An op of another package."""

    kind = "elsewhere.clip"

    def infer_shape(self, *inputs):
        return inputs[0]


@dataclass(frozen=True, eq=False)
class ForeignNeuron(LIF):
    """A neuron of another package that looks like one of ours."""


def test_op_of_another_package():
    graph = start()
    graph.add("clip", Foreign(), ["x"], path="net.clip")
    graph.outputs = ("clip",)
    refused(graph, "clip", "no counterpart for 'elsewhere.clip'", path=r"net\.clip")


def test_op_that_only_has_the_name_of_one_of_ours():
    graph = start()
    graph.add("lif", ForeignNeuron(2.0, True, 1.0, 0.0), ["x"], path="net.lif")
    graph.outputs = ("lif",)
    assert graph["lif"].op.kind == "lif"
    refused(graph, "lif", "no counterpart", path=r"net\.lif")


def test_integers_of_another_target():
    from spikeport.targets.lava.ops import LavaShift

    graph = start()
    graph.add("shift", LavaShift(3), ["x"], path="net.shift")
    graph.outputs = ("shift",)
    refused(graph, "shift", "'lava.shift', an op of another package or target", path=r"net\.shift")


def test_neuron_without_time():
    graph = start(per_step=False)
    graph.add("lif", FIRES, ["x"], path="net.lif")
    graph.outputs = ("lif",)
    refused(graph, "lif", "without time axis", path=r"net\.lif")


@pytest.mark.parametrize(
    "neuron", [IF(float("inf"), 0.0), IF(float("nan"), None), IF(1.0, float("nan"))]
)
def test_threshold_or_reset_that_is_no_number(neuron: Neuron):
    graph = start()
    graph.add("lif", neuron, ["x"], path="net.lif")
    graph.outputs = ("lif",)
    refused(graph, "lif", "not finite", path=r"net\.lif")


def test_endless_time_constant():
    graph = start()
    graph.add("lif", LIF(float("inf"), True, 1.0, 0.0), ["x"], path="net.lif")
    graph.outputs = ("lif",)
    refused(graph, "lif", "time constant is not finite", path=r"net\.lif")


def non_causal() -> Graph:
    graph = start()
    graph.add("mean", MeanTime(), ["x"])
    graph.add("centred", Add(), ["x", "mean"], path="net.centre")
    graph.add("lif", FIRES, ["centred"])
    graph.outputs = ("lif",)
    return graph


def test_step_graph_that_would_need_the_future():
    refused(non_causal(), "centred", "sum or mean over all steps", path=r"net\.centre")


def test_the_unrolled_graph_knows_the_future():
    from spikeport.convert import Interpreter

    graph, frames = non_causal(), torch.randn(3, 2, 2, 4)
    got = lower(graph, steps=3, streaming=False, dtype="float64").run(frames).outputs
    assert torch.equal(got, Interpreter(graph, torch.float64).run(frames))


def test_several_inputs_and_outputs():
    graph = start()
    graph.add("other", Input((2, 4), Domain.REAL, True))
    graph.add("sum", Add(), ["x", "other"])
    graph.outputs = ("sum", "x")
    refused(graph, "sum", "2 inputs")
    assert "2 outputs" in " ".join(finding.why for finding in check(graph, "onnx").errors)


def test_empty_graph():
    assert not check(Graph(), "onnx").ok
    with pytest.raises(UnsupportedError, match="empty"):
        lower(Graph(), steps=1)


def test_different_numbers_of_repeats():
    graph = start(per_step=False)
    graph.add("two", RepeatTime(2), ["x"])
    graph.add("three", RepeatTime(3), ["x"])
    graph.add("a", FIRES, ["two"])
    graph.add("b", FIRES, ["three"])
    graph.add("sum", Add(), ["a", "b"])
    graph.outputs = ("sum",)
    refused(graph, "sum", "over 2 and 3 steps")


def test_loop_that_nothing_enters():
    graph = start(per_step=False)
    graph.add("back", Delay("sum", (2, 4), Domain.REAL), path="net.loop")
    graph.add("sum", Add(), ["x", "back"], path="net.loop.sum")
    graph.outputs = ("sum",)
    refused(graph, "back", "nothing with a time axis enters", path=r"net\.loop")


def test_delay_of_nothing():
    graph = start()
    graph.add("back", Delay("gone", (2, 4), Domain.REAL), path="net.back")
    graph.add("sum", Add(), ["x", "back"])
    graph.outputs = ("sum",)
    refused(graph, "back", "no value per step", path=r"net\.back")


def test_more_than_two_gibibytes(monkeypatch):
    monkeypatch.setattr(written, "SIZE_LIMIT", 1000)
    graph = start()
    graph.add("fc", Linear(torch.randn(100, 4), None), ["x"], path="net.fc")
    graph.outputs = ("fc",)
    refused(graph, "fc", "less than 2 GiB", path=r"net\.fc")


def test_half_the_size_is_carried_in_float32_only(monkeypatch):
    monkeypatch.setattr(written, "SIZE_LIMIT", 2500)
    graph = start()
    graph.add("fc", Linear(torch.randn(100, 4), None), ["x"], path="net.fc")
    graph.outputs = ("fc",)
    assert lower(graph, steps=1).report.files["step"].parameters == 1600
    with pytest.raises(UnsupportedError, match="float32"):
        lower(graph, steps=1, dtype="float64")


def test_a_rule_that_fails_is_told(monkeypatch):
    class Rule:
        def check(self, graph, node):
            raise ZeroDivisionError("at fault")

    monkeypatch.setitem(LOWERINGS._entries, "scale", Rule())
    graph = start()
    graph.add("half", Scale(0.5), ["x"])
    graph.outputs = ("half",)
    report = check(graph, "onnx")
    assert not report.ok and "ZeroDivisionError" in report["half"].findings[0].why


def test_what_is_carried_is_exact_or_rewritten():
    conv = Conv(torch.randn(2, 2, 1), None, (1,), (0,), (1,))
    graph = start(per_step=False)
    graph.add("repeat", RepeatTime(3), ["x"])
    graph.add("conv", conv, ["repeat"])
    graph.add("lif", FIRES, ["conv"])
    graph.add("mean", MeanTime(), ["lif"])
    graph.outputs = ("mean",)
    report = check(graph, "onnx")
    assert report.ok and not report.findings
    assert {v.node: v.said for v in report.verdicts} == {
        "x": "exact",
        "repeat": "rewritten (hoist-static)",
        "conv": "exact",
        "lif": "exact",
        "mean": "exact",
    }
    assert "steps so far" in report["mean"].how
    assert lower(graph).report.steps == 3
