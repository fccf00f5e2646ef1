"""`check`: one verdict on every node, by the rules of the lowering, never an exception."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport import check
from spikeport.convert import trace
from spikeport.convert.check import Status, judge
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    AddConstant,
    AvgPool,
    BatchNorm,
    Conv,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    MeanTime,
    Multiply,
    Op,
    ParametricLIF,
    Permute,
    Reshape,
    Scale,
    Stateless,
)
from spikeport.convert.passes import PASSES
from spikeport.core.errors import SpikeportError, UnknownNameError, UnsupportedError, UsageError
from spikeport.targets import checked_targets
from spikeport.targets.lava import LoweringOptions, lower
from spikeport.targets.lava.requirements import Requirements
from spikeport.targets.lava.rules import RULES
from spikeport.train.checkpoint import load_model


@pytest.fixture(scope="module")
def digits() -> Graph:
    model, sample = load_model("max_former_digits"), torch.ones(2, 4, 2, 32, 32)
    return trace(model, sample, input_domain="graded", fold=False)


def test_a_real_network_has_one_verdict_per_node(digits: Graph) -> None:
    report = check(digits, "lava")
    assert [verdict.node for verdict in report.verdicts] == [node.name for node in digits]
    assert report.ok
    assert sum(report.counts.values()) == len(digits)
    assert report.counts["unsupported"] == 0
    for verdict in report.verdicts:
        if verdict.op == "batch_norm":
            assert verdict.said == "rewritten (fold-batch-norm)"
        if verdict.status is Status.APPROXIMATE:
            assert "measured as" in verdict.how
    # What is said to be measured is in the report of the lowering.
    figures = {row.figure for row in lower(digits, torch.ones(4, 2, 2, 32, 32)).report.rows}
    told = " ".join(verdict.how for verdict in report.verdicts)
    assert {name for name in told.split("'")[1::2]} <= figures


def test_json_has_a_stable_shape(digits: Graph) -> None:
    content = check(digits, "lava").as_json()
    assert set(content) == {"target", "ok", "counts", "nodes"}
    assert set(content["counts"]) == {"exact", "rewritten", "approximate", "unsupported"}
    for node in content["nodes"]:
        assert set(node) == {"node", "op", "path", "status", "by", "how", "findings"}
    notes = [finding for node in content["nodes"] for finding in node["findings"]]
    assert all(set(finding) == {"severity", "why", "fix"} for finding in notes)


def test_targets_by_name() -> None:
    assert checked_targets() == ["lava", "onnx", "nir"]
    with pytest.raises(UnknownNameError, match="lava"):
        check(Graph(), "lawa")
    with pytest.raises(UsageError, match="nothing to check"):
        check(Graph(), "reference")


def spikes(*shape: int) -> Graph:
    graph = Graph()
    graph.add("input", Input(shape, Domain.SPIKE, True))
    return graph


def chain(graph: Graph, *ops: Op) -> Graph:
    last = next(iter(graph)).name
    for number, op in enumerate(ops):
        name = f"n{number}"
        graph.add(name, op, [last] * (op.arity or 1), path=f"net.{number}")
        last = name
    graph.outputs = (last,)
    return graph


class Broken(Stateless):
    """An op whose rule is at fault."""

    kind = "test.broken"

    def infer_shape(self, *inputs):
        return inputs[0]


def test_a_rule_that_fails_is_a_finding_and_stops_no_other(monkeypatch) -> None:
    class Rule:
        simulation_only = False

        def check(self, graph, node):
            raise ZeroDivisionError("at fault")

    monkeypatch.setitem(RULES._entries, "test.broken", Rule())
    report = check(chain(spikes(2, 4, 4), Broken(), LIF(3.0, True, 1.0, None)), "lava")
    assert "ZeroDivisionError: at fault" in report["n0"].findings[0].why
    assert len(report["n1"].findings) == 2


def test_an_empty_graph_cannot_be_lowered() -> None:
    report = check(Graph(), "lava")
    assert not report.ok
    assert not check(spikes(2), "lava").ok


def test_numbers_that_no_scale_can_hold_are_found() -> None:
    huge = Conv(torch.ones(2, 2, 1, 1), torch.full((2,), 1e6), (1, 1), (0, 0), (1, 1))
    report = check(chain(spikes(2, 4, 4), huge, IF(1.0, 0.0), huge, IF(1.0, 0.0)), "lava")
    assert [finding.node for finding in report.errors] == ["n1", "n3"]
    assert "int16" in report.errors[0].why


def test_nodes_that_no_output_needs_are_told(monkeypatch) -> None:
    monkeypatch.setitem(PASSES._entries, "test-drop", rebuilt)
    graph = chain(spikes(2, 4, 4), IF(1.0, 0.0))
    graph.add("dead", Scale(0.3), ["n0"])
    said = judge(graph, "lava", ["test-drop"], Requirements)["dead"]
    assert said.status is Status.REWRITTEN and "no output depends on it" in said.how


def values(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def norm(channels: int) -> BatchNorm:
    return BatchNorm(torch.zeros(channels), torch.ones(channels), None, None, 1e-5)


def conv(kernel: int, seed: int) -> Conv:
    return Conv(values(seed, 2, 2, kernel, kernel), values(seed, 2), (1, 1), (1, 1), (1, 1))


OPS = st.one_of(
    st.builds(LIF, st.sampled_from([2.0, 3.0, 4.0]), st.booleans(),
              st.sampled_from([1.0, 0.0, 1e9, math.nan, math.inf]),
              st.sampled_from([0.0, 0.0, 0.5, None])),
    st.builds(IF, st.sampled_from([1.0, 0.5, -1.0]), st.sampled_from([0.0, None])),
    st.builds(ParametricLIF, st.sampled_from([torch.zeros(()), torch.ones(3), torch.ones(())]),
              st.booleans(), st.just(1.0), st.just(0.0)),
    st.builds(conv, st.sampled_from([1, 3]), st.integers(0, 3)),
    st.builds(Linear, st.just(values(1, 4, 4)), st.none()),
    st.builds(Scale, st.sampled_from([0.5, 0.3, -1.0, math.nan, 1.0])),
    st.builds(lambda: norm(2)),
    st.builds(lambda: MaxPool((2, 2), (1, 1), (0, 0))),
    st.builds(lambda: AvgPool((2, 2), (1, 1), (0, 0), True)),
    st.builds(Mean, st.sampled_from([(0,), (1,), (0, 1)]), st.booleans()),
    st.builds(lambda: AddConstant(torch.ones(1))),
    st.builds(MeanTime),
    st.builds(Reshape, st.sampled_from([(2, 16), (32,), (2, 4, 4)])),
    st.builds(Permute, st.sampled_from([(1, 0), (0, 2, 1)])),
    st.builds(Add), st.builds(Multiply), st.builds(MatMul),
)  # fmt: skip


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    st.sampled_from(list(Domain)),
    st.lists(st.tuples(OPS, st.integers(0, 8)), min_size=1, max_size=8),
)
def test_any_graph_gets_a_verdict_on_every_node_and_lower_agrees(domain, steps) -> None:
    graph = Graph()
    names = [graph.add("input", Input((2, 4, 4), domain, True)).name]
    for number, (op, other) in enumerate(steps):
        sources = [names[-1], names[other % len(names)]][: op.arity]
        # An op that cannot read these shapes is left out.
        try:
            graph.add(f"n{number}", op, sources)
        except (UnsupportedError, IndexError):
            continue
        names.append(f"n{number}")
    graph.outputs = (names[-1],)
    report = check(graph, "lava")
    assert [verdict.node for verdict in report.verdicts] == [node.name for node in graph]
    unsupported = [verdict for verdict in report.verdicts if verdict.status == "unsupported"]
    assert all(finding.why for verdict in unsupported for finding in verdict.findings)
    assert all(verdict.findings for verdict in unsupported)
    try:
        lower(graph, options=LoweringOptions(input_max=1, input_range=1.0))
        lowered = True
    except SpikeportError:
        lowered = False
    assert report.ok == lowered
