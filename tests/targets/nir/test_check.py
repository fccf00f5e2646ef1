"""What NIR cannot express: which node, why, and what to do; and the ways around."""

from __future__ import annotations

import io

import nir
import nir_graphs
import pytest
import torch

from spikeport import check as check_by_name
from spikeport.convert import Graph, trace
from spikeport.convert.check import NodeRefused, Status
from spikeport.convert.domain import Domain
from spikeport.convert.ops import (
    IF,
    LIF,
    OPS,
    AdaptiveAvgPool,
    Add,
    AddConstant,
    AddPerStep,
    AvgPool,
    BatchNorm,
    Complement,
    Concat,
    Conv,
    Delay,
    EulerNeuron,
    Fourier,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    MeanTime,
    Multiply,
    Op,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
    Slice,
    Subtract,
    Sum,
    SumPool,
    SumTime,
    Tile,
    ZeroPad,
)
from spikeport.core.errors import UsageError
from spikeport.targets.nir import check, lower, read
from spikeport.targets.nir.rules import RULES
from spikeport.train.checkpoint import load_model

REFUSED: dict[str, tuple[Op, str, str]] = {
    "max-of-reals": (MaxPool((2, 2), (2, 2), (0, 0)), "maximum of real values", "average pooling"),
    "mean": (Mean((1, 2)), "no mean", "AvgPool2d"),
    "sum": (Sum((0,)), "no sum over axes", "AvgPool2d"),
    "adaptive": (AdaptiveAvgPool((4, 4), (2, 2)), "adaptive", "AvgPool2d"),
    "matmul": (MatMul(), "product of two activations", "convolutions instead of attention"),
    "mask": (Multiply(), "no mask", "Add instead"),
    "complement": (Complement(), "no mask", "Add instead"),
    "subtract": (Subtract(), "edges of NIR add", "Multiply by -1"),
    "constant": (AddConstant(torch.ones(1)), "adds constants", "bias of the layer before"),
    "per-step": (AddPerStep(torch.ones(3, 1, 1, 1)), "adds constants", "bias"),
    "permute": (Permute((0, 2, 1)), "merging axes", "Keep the order"),
    "slice": (Slice(0, 0, 2), "merging axes", "Keep the order"),
    "concat": (Concat(0), "merging axes", "Keep the order"),
    "tile": (Tile((1, 2, 1)), "merging axes", "Keep the order"),
    "margin": (ZeroPad((0, 1, 1), (0, 1, 1)), "merging axes", "Keep the order"),
    "reshape": (Reshape((8, 8)), "merge neighbouring axes only", "Leave the axes"),
    "fourier": (Fourier((1, 2)), "no Fourier", "convolution as mixer"),
    "grouped": (
        Conv(torch.ones(4, 2, 3, 3), None, (1, 1), (1, 1), (1, 1), 2),
        "2 groups, whose input nir 1.0.8 takes to have 2 channels instead of 4",
        "without groups",
    ),
    "oblong": (
        Conv(torch.ones(4, 4, 3, 1), None, (1, 1), (1, 0), (1, 1)), "not square", "square kernel"
    ),
    "matrix": (Linear(torch.ones(2, 4), None), "one vector", "convolution with kernel 1"),
    "soft-reset": (LIF(2.0, True, 1.0, None), "soft reset", "v_reset=0.0"),
    "short": (LIF(0.5, True, 1.0, 0.0), "shorter than a step", "at least a step"),
    "norm": (
        BatchNorm(torch.zeros(4), torch.ones(4), None, None, 1e-5), "batch norm", "right after"
    ),
    "pool-1d": (MaxPool((2,), (2,), (0,)), "over two axes", "Pool over"),
    "average-1d": (AvgPool((2,), (2,), (0,), True), "over two axes", "Pool over"),
    "sum-1d": (SumPool((2,), (2,), (0,)), "over two axes", "Pool over"),
    "uncounted-padding": (
        AvgPool((3, 3), (1, 1), (1, 1), False), "leaves padding out", "count_include_pad=True"
    ),
    "division": (Scale(1.0, 49.0), "divides by 49", "Multiply by 0.02"),
    "twice": (Add(), "added to itself", "Scale it"),
}  # fmt: skip


def graph_with(op: Op) -> Graph:
    shape = (4, 4) if len(getattr(op, "kernel", (1, 1))) == 1 else (4, 4, 4)
    graph = Graph()
    graph.add("input", Input(shape, Domain.REAL, True))
    graph.add("op", op, ["input"] * (2 if op.arity != 1 else 1), path="net.op")
    graph.outputs = ("op",)
    return graph


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name_with_reason_and_advice(name: str) -> None:
    op, why, fix = REFUSED[name]
    graph = graph_with(op)
    report = check(graph)
    assert not report.ok and report["input"].status is Status.EXACT
    told = [finding for finding in report["op"].findings if finding.severity == "error"]
    assert why in told[0].why and fix in told[0].fix and told[0].path == "net.op"
    with pytest.raises(NodeRefused, match=r"net\.op"):
        lower(graph)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_as_an_extension_it_is_carried(name: str) -> None:
    op, _, _ = REFUSED[name]
    graph = graph_with(op)
    lowered = lower(graph, torch.randn(3, 2, *graph.input.shape), extensions=True)
    assert lowered.report.proof.different == 0
    assert type(lowered.graph["op"].op) is type(op)
    assert lowered.report.mark.extensions == (op.kind,)
    assert "Only Spikeport reads this file" in " ".join(lowered.report.warnings())
    with pytest.raises((AssertionError, KeyError)):
        nir.read(io.BytesIO(lowered.content))


def test_every_op_has_a_rule() -> None:
    own = {kind for kind, op in OPS.items() if op.__module__.startswith("spikeport.convert")}
    assert own == set(RULES)


def residual() -> Graph:
    """A stream that two neurons, an addition and the output read."""
    graph = Graph()
    graph.add("input", Input((3, 4, 4), Domain.REAL, True))
    stream = graph.add("stem", nir_graphs.conv(0), ["input"]).name
    for number in range(3):
        spikes = graph.add(f"lif{number}", LIF(2.0, True, 0.2, 0.0), [stream]).name
        branch = graph.add(f"conv{number}", nir_graphs.conv(number + 5), [spikes]).name
        stream = graph.add(f"sum{number}", Add(), [stream, branch], path=f"net.{number}").name
    graph.outputs = (stream,)
    return graph


def test_several_readers_of_a_membrane_sum() -> None:
    graph = residual()
    report = check(graph)
    assert [finding.node for finding in report.errors] == ["sum0", "sum1"]
    assert "2 nodes read this sum" in report.errors[0].why
    assert "expand_residuals" in report.errors[0].fix
    lowered = lower(graph, expand_residuals=True)
    nir.read(io.BytesIO(lowered.content))
    assert lowered.report.proof.different == 0 and lowered.report.proof.fired > 50
    # Read back, a sum that several nodes read is one sum again.
    kinds = [node.op.kind for node in lowered.graph]
    assert kinds.count("add") == 3 and len(lowered.graph) == len(graph)
    # NIRTorch does not add up what meets at an output.
    assert lowered.backends == ("nir",)


def test_expanded_residuals_run_on_spikingjelly() -> None:
    graph = residual()
    graph.add("last", LIF(2.0, True, 0.4, 0.0), ["sum2"])
    graph.outputs = ("last",)
    lowered = lower(graph, expand_residuals=True)
    assert lowered.backends == ("nir", "spikingjelly")
    frames = nir_graphs.random(3, 5, 2, 3, 4, 4)
    ours, theirs = (lowered.run(frames, backend=name, spikes=True) for name in lowered.backends)
    assert all(torch.equal(spikes, theirs.spikes[name]) for name, spikes in ours.spikes.items())
    assert ours.spikes["last"].double().mean() > 0.05


def test_extensions_leave_sums_with_several_readers_as_they_are() -> None:
    lowered = lower(residual(), extensions=True)
    assert lowered.report.mark.extensions == ("add",)
    assert [node.op.kind for node in lowered.graph] == [node.op.kind for node in residual()]
    assert {"sum0", "sum1"} < {node.name for node in lowered.graph}


def test_sums_of_sums_are_approximate_and_proven() -> None:
    graph = Graph()
    graph.add("input", Input((3, 4, 4), Domain.REAL, True))
    for name in "abcd":
        graph.add(name, nir_graphs.conv(ord(name)), ["input"])
    graph.add("left", Add(), ["a", "b"])
    graph.add("right", Add(), ["c", "d"])
    graph.add("all", Add(), ["left", "right"])
    graph.add("n", LIF(2.0, True, 0.4, 0.0), ["all"])
    graph.outputs = ("n",)
    assert check(graph)["all"].status is Status.APPROXIMATE
    assert check(graph)["left"].said == "rewritten (fan-in)"
    report = lower(graph).report
    assert report.proof.different == 0 and "another order" in report.warnings()[0]


def test_a_zoo_network_is_told_whole_and_carried_by_extensions() -> None:
    model, sample = load_model("max_former_digits"), torch.ones(2, 4, 2, 32, 32)
    graph = trace(model, sample, input_domain="graded")
    report = check_by_name(graph, "nir")
    assert [verdict.node for verdict in report.verdicts] == [node.name for node in graph]
    assert {verdict.op for verdict in report.verdicts if verdict.status == "unsupported"} >= {
        "max_pool", "matmul", "add",
    }  # fmt: skip
    lowered = lower(graph, torch.ones(4, 2, 2, 32, 32), extensions=True)
    assert lowered.report.proof.different == 0 and lowered.report.proof.fired > 1000
    # The mean over time commutes with the classifier, and is read as the last thing.
    kinds = [node.op.kind for node in graph]
    assert kinds[-2:] == ["mean_time", "linear"]
    assert [node.op.kind for node in lowered.graph] == [*kinds[:-2], "linear", "mean_time"]
    assert read(lowered.content)["head"].path == graph["head"].path


def test_a_mean_over_time_in_the_middle() -> None:
    graph = Graph()
    graph.add("input", Input((3,), Domain.REAL, True))
    graph.add("n", IF(0.5, 0.0), ["input"])
    graph.add("time", MeanTime(), ["n"])
    graph.add("again", RepeatTime(4), ["time"])
    graph.add("last", IF(0.5, 0.0), ["again"])
    graph.outputs = ("last",)
    told = {finding.node: finding.why for finding in check(graph).errors}
    assert set(told) == {"time", "again"} and "no mean_time" in told["time"]
    lowered = lower(graph, torch.randn(4, 2, 3), extensions=True)
    assert lowered.report.mark.extensions == ("mean_time", "repeat_time")


def test_a_sum_over_time_does_not_commute_with_a_bias() -> None:
    graph = Graph()
    graph.add("input", Input((3,), Domain.SPIKE, True))
    graph.add("time", SumTime(), ["input"])
    graph.add("head", Linear(torch.ones(2, 3), torch.ones(2)), ["time"])
    graph.outputs = ("head",)
    assert [finding.node for finding in check(graph).errors] == ["time"]


def test_graphs_that_are_no_network_are_refused() -> None:
    assert not check(Graph()).ok or not check(Graph()).verdicts
    two = nir_graphs.chain([("n", IF(1.0, 0.0))], (3,))
    two.add("other", Input((3,), Domain.REAL, True))
    assert "2 inputs" in check(two).errors[0].why
    two.outputs = ("n", "input")
    assert any("2 outputs" in finding.why for finding in check(two).errors)
    static = Graph()
    static.add("input", Input((3,), Domain.REAL, False))
    static.add("fc", Linear(torch.ones(2, 3), None), ["input"])
    static.outputs = ("fc",)
    assert "runs over time" in check(static).errors[0].why


def test_one_file_fires_one_way() -> None:
    one = torch.ones(1)
    mixed = nir_graphs.chain(
        [("at", IF(1.0, 0.0)), ("above", EulerNeuron(None, one, 0 * one, one, 0 * one, True))], (3,)
    )
    assert "above its threshold, other neurons at theirs" in check(mixed).errors[0].why
    strict = nir_graphs.chain(
        [("above", EulerNeuron(None, one, 0 * one, one, 0 * one, True))], (3,)
    )
    lowered = lower(strict)
    assert lowered.report.mark.fires == "above" and lowered.backends == ("nir",)
    assert not lowered.report.warnings() or "Nothing proven" in lowered.report.warnings()[0]


def test_a_delay_without_axis_is_refused_even_as_an_extension() -> None:
    graph = Graph()
    graph.add("input", Input((), Domain.REAL, True))
    graph.add("late", Delay("input", (), Domain.REAL))
    graph.outputs = ("late",)
    assert "without axis" in check(graph, extensions=True)["late"].findings[0].why


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match="Options: dt, expand_residuals, extensions"):
        check(Graph(), extension=True)
