"""Layer table, spike-drivenness, pictures."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.convert import Domain, Graph, layers, ops, spike_driven
from spikeport.convert.seeing import Role, draw_dot, draw_layered, draw_svg
from spikeport.convert.seeing.domains import CURRENTS, PRODUCTS
from spikeport.convert.seeing.layout import layout, width_of

FIRES = ops.LIF(2.0, True, 1.0, 0.0)
EVIL = "a<b>&\"'\\\x00\n:]]>"


def conv(outputs: int = 2, inputs: int = 2) -> ops.Conv:
    return ops.Conv(torch.ones(outputs, inputs, 1, 1), None, (1, 1), (0, 0), (1, 1))


def residual(domain: Domain = Domain.SPIKE) -> Graph:
    graph = Graph(outputs=("head",))
    graph.add("x", ops.Input((2, 4, 4), domain, True))
    graph.add("conv", conv(3), ["x"], path="net.conv")
    graph.add("lif", FIRES, ["conv"], path="net.lif")
    graph.add("deep", conv(3, 3), ["lif"], path="net.deep")
    graph.add("sum", ops.Add(), ["conv", "deep"])
    graph.add("last", FIRES, ["sum"])
    graph.add("mean", ops.MeanTime(), ["last"])
    graph.add("head", ops.Mean((1, 2)), ["mean"])
    return graph


def test_the_table_has_a_row_per_node() -> None:
    rows = {row.node: row for row in layers(residual())}
    assert list(rows) == ["x", "conv", "lif", "deep", "sum", "last", "mean", "head"]
    assert (rows["conv"].path, rows["conv"].op, rows["conv"].parameters) == ("net.conv", "conv", 6)
    assert rows["conv"].inputs == ((2, 4, 4),) and rows["conv"].shape == (3, 4, 4)
    assert (rows["lif"].neurons, rows["lif"].domain, rows["conv"].neurons) == (48, "spike", 0)
    assert rows["sum"].inputs == ((3, 4, 4), (3, 4, 4))
    assert not rows["head"].per_step and rows["head"].domain == "scaled"


def test_currents_on_their_way_to_neurons_do_not_count_against_it() -> None:
    answer = spike_driven(residual())
    assert answer
    assert {(edge.source, edge.target) for edge in answer.edges} == {
        ("conv", "lif"),
        ("conv", "sum"),
        ("deep", "sum"),
        ("sum", "last"),
    }
    assert {edge.role for edge in answer.edges} == {Role.CURRENT}


def test_a_real_input_into_weights_does() -> None:
    answer = spike_driven(residual(Domain.REAL))
    assert not answer
    assert [(edge.source, edge.target) for edge in answer.reasons] == [("x", "conv")]
    assert str(answer.reasons[0]) == "net.conv (conv) reads real values of x"
    assert answer.as_json()["spike_driven"] is False


def test_products_of_currents_do_and_so_do_ops_that_nobody_knows() -> None:
    class Sine(ops.Stateless):
        kind = "test.sine"

        def infer_shape(self, *inputs):
            return inputs[0]

    graph = residual()
    graph.add("gate", ops.Multiply(), ["sum", "lif"])
    graph.add("sine", Sine(), ["sum"])
    reasons = spike_driven(graph).reasons
    assert [(edge.target, edge.role) for edge in reasons] == [
        ("gate", Role.PRODUCT),
        ("sine", Role.UNKNOWN),
    ]


def test_every_op_of_ours_is_known() -> None:
    from spikeport.targets.lava import ops as lowered

    assert lowered.LavaMean.kind in ops.OPS
    kinds = {
        kind
        for kind, op in ops.OPS.items()
        if not issubclass(op, ops.Neuron | ops.Input) and kind not in ops.OPS.origins
    }
    assert kinds - {each for each in kinds if each.startswith("test.")} == PRODUCTS | CURRENTS


@dataclass(frozen=True, eq=False)
class Echo(ops.Op):
    """Shows what a node computed a step before."""

    kind = "test.echo"
    arity = 0

    source: str = "lif"
    feedback = "lif"

    def infer_shape(self, *inputs):
        return (3, 4, 4)

    def infer_per_step(self, *inputs):
        return True


def looping() -> Graph:
    graph = Graph(outputs=("last",))
    graph.add("x", ops.Input((3, 4, 4), Domain.SPIKE, True))
    graph.add("echo", Echo())
    graph.add("sum", ops.Add(), ["x", "echo"])
    graph.add("lif", FIRES, ["sum"])
    graph.add("last", conv(3, 3), ["lif"])
    return graph


def test_feedback_is_shown() -> None:
    rows = {row.node: row for row in layers(looping())}
    assert rows["echo"].feedback == "lif"
    assert "one step later" in draw_dot(looping())
    assert "lif, one step later" in draw_layered(looping())


def svg_of(text: str) -> ET.Element:
    return ET.fromstring(text)


@pytest.mark.parametrize("graph", [residual(), residual(Domain.REAL), looping(), Graph()])
def test_a_picture_holds_every_node_and_a_legend_of_the_domains(graph: Graph) -> None:
    root = svg_of(draw_layered(graph))
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    for node in graph:
        assert (node.path or node.name) in texts
        assert any(text.startswith(f"{node.domain}: ") for text in texts)
    paths = root.findall("{http://www.w3.org/2000/svg}path")
    legend = len({node.domain for node in graph})
    loops = sum(isinstance(node.op, Echo) for node in graph)
    assert len(paths) == legend + loops + sum(len(set(node.inputs)) for node in graph)


def test_edges_have_the_colour_of_their_domain() -> None:
    graph = residual()
    assert draw_layered(graph).count('stroke="#0072B2"') == 4  # one of them in the legend
    assert len(re.findall(r'^n\d+ -> n\d+ .*"#D55E00"', draw_dot(graph), re.MULTILINE)) == 4


def test_names_are_text_not_markup() -> None:
    graph = Graph(outputs=(EVIL,))
    graph.add("x", ops.Input((2,), Domain.SPIKE, True), path="</text><script>")
    graph.add(EVIL, FIRES, ["x"])
    graph.add("l" * 300, FIRES, ["x"])
    for text in (draw_layered(graph), draw_svg(graph)):
        root = svg_of(text)
        assert not [each for each in root.iter() if each.tag.endswith("script")]
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tplain"], input=draw_dot(graph), text=True, check=True,
                              capture_output=True)  # fmt: skip
        assert done.stdout.count("\nnode ") == 3


def test_without_graphviz_the_layout_of_ours_is_used(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert draw_svg(residual()) == draw_layered(residual())


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_draws_every_node() -> None:
    root = svg_of(draw_svg(residual()))
    groups = [each for each in root.iter() if each.get("class") == "node"]
    assert len(groups) == len(residual())


DRAW = """
from tests_seeing import residual
from spikeport.convert.seeing import draw_dot, draw_layered
print(draw_layered(residual()), draw_dot(residual()))
"""


def test_pictures_are_the_same_in_every_process(tmp_path) -> None:
    shutil.copy(__file__, tmp_path / "tests_seeing.py")
    texts = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    assert len(texts) == 1


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 18), st.randoms(use_true_random=False))
def test_nothing_overlaps_in_any_graph(count: int, random) -> None:
    nodes = [f"n{i}" for i in range(count)]
    pairs = [(a, b) for i, b in enumerate(nodes) for a in nodes[:i]]
    edges = [pair for pair in pairs if random.random() < 0.25]
    widths = {name: random.uniform(20, 300) for name in nodes}
    result = layout(nodes, edges, widths)
    assert sorted(place[0] for each in result.ranks for place in each
                  if isinstance(place[0], str)) == sorted(nodes)  # fmt: skip
    assert all(result.rank[a] < result.rank[b] for a, b in edges)
    for each in result.ranks:
        for left, right in pairwise(each):
            room = (width_of(left, widths) + width_of(right, widths)) / 2
            assert result.x[right] - result.x[left] >= room + 1
    for edge, route in result.routes.items():
        assert [place[1] for place in route] == list(
            range(result.rank[edge[0]], result.rank[edge[1]] + 1)
        )
