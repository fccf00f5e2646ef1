"""Graph -> NIR -> Graph: equal spikes, in float64."""

from __future__ import annotations

import io
from pathlib import Path

import nets
import nir
import nir_graphs
import pytest
import torch
from hypothesis import given, settings
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

import spikeport
from spikeport.convert import Graph, trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Delay, Input, MaxPool, MeanTime, SumTime
from spikeport.core.errors import CheckFailed, FileError, UnknownNameError, UsageError
from spikeport.targets.lowered import run_executor
from spikeport.targets.nir import NirLowered, load, lower, read


@settings(deadline=None, max_examples=25, derandomize=True)
@given(nir_graphs.nir_graphs())
def test_any_graph_that_nir_expresses_comes_back(graph: Graph) -> None:
    lowered = lower(graph, expand_residuals=True)
    nir.read(io.BytesIO(lowered.content))  # plain NIR
    frames = nir_graphs.frames_for(graph, 5)
    want, got = nir_graphs.runs_of(graph, frames), nir_graphs.runs_of(lowered.graph, frames)
    learned = any(node.op.kind == "parametric_lif" for node in graph)
    assert list(want) == list(got)
    for name, spikes in want.items():
        if name == "output":
            assert torch.allclose(got[name], spikes, rtol=0, atol=1e-9)
        elif learned:
            assert float((got[name] - spikes).abs().mean()) < 1e-3
        else:
            assert torch.equal(got[name], spikes), name
    if not learned:
        assert lowered.report.proof.different == 0
        assert [node.op.kind for node in lowered.graph if node.op.kind in ("if", "lif")] == [
            node.op.kind for node in graph if node.op.kind in ("if", "lif")
        ]


@settings(deadline=None, max_examples=8, derandomize=True)
@given(nir_graphs.nir_graphs())
def test_what_was_read_is_written_the_same(graph: Graph) -> None:
    once = lower(graph, expand_residuals=True)
    twice = lower(once.graph, expand_residuals=True)
    frames = nir_graphs.frames_for(graph, 6)
    want, got = nir_graphs.runs_of(once.graph, frames), nir_graphs.runs_of(twice.graph, frames)
    assert all(torch.equal(want[name], got[name]) for name in want)


def conv_net() -> nn.Module:
    """What SpikingJelly's own exporter takes too, batch norms aside."""
    net = nn.Sequential(
        layer.Conv2d(2, 6, 3, padding=1, bias=False),
        layer.BatchNorm2d(6),
        neuron.IFNode(v_threshold=0.6),
        layer.AvgPool2d(2),
        layer.Conv2d(6, 8, 3, stride=2, padding=1),
        neuron.LIFNode(tau=1.7, v_threshold=0.3),
        layer.Flatten(),
        layer.Linear(8 * 4 * 4, 12),
        neuron.LIFNode(decay_input=False, v_threshold=0.8),
        layer.Linear(12, 5, bias=False),
    )
    functional.set_step_mode(net, "m")
    return net


@pytest.fixture(scope="module")
def conv_graph() -> Graph:
    torch.manual_seed(0)
    net = conv_net()
    net[1].running_var.uniform_(0.1, 0.4)
    net[1].bias.data.normal_(0.3, 0.3)
    sample = torch.randn(4, 2, 2, 16, 16)
    return trace(nets.awake(net.eval(), sample), sample)


@pytest.fixture(scope="module")
def lowered(conv_graph: Graph) -> NirLowered:
    return lower(conv_graph)


def test_spikingjelly_imports_it_with_equal_spikes(lowered: NirLowered) -> None:
    assert lowered.backends == ("nir", "spikingjelly")
    frames = torch.randn(6, 3, 2, 16, 16, generator=torch.Generator().manual_seed(2))
    ours, theirs = (lowered.run(frames, backend=name, spikes=True) for name in lowered.backends)
    assert list(ours.spikes) == list(theirs.spikes) == ["2", "5", "8"]
    for name, spikes in ours.spikes.items():
        assert torch.equal(spikes, theirs.spikes[name]), name
        assert 0.01 < float(spikes.double().mean()) < 0.99
    assert torch.allclose(ours.outputs, theirs.outputs, rtol=0, atol=1e-12)
    assert theirs.backend == "spikingjelly"
    assert not lowered.run(frames, backend="spikingjelly").spikes


def test_by_name_and_as_an_executor(conv_graph: Graph, lowered: NirLowered) -> None:
    named = spikeport.lower(conv_graph, "nir", dt=1e-3)
    assert named.target == "nir" and named.report.as_json()["mark"]["dt"] == 1e-3
    frames = torch.randn(4, 2, 2, 16, 16)
    executor = spikeport.targets.TARGETS["nir"].executor(conv_graph, lambda: frames)
    want = run_executor(executor, frames, "nir")
    assert torch.allclose(want.outputs.double(), named.run(frames).outputs, atol=1e-4)


@pytest.mark.parametrize("dt", [1e-4, 1e-3, 1.0, 0.3, 7e-5])
def test_any_time_step_reads_back_exactly(conv_graph: Graph, dt: float) -> None:
    lowered = lower(conv_graph, dt=dt)
    for name in ("2", "5", "8"):
        assert lowered.graph[name].op == conv_graph[name].op or vars(
            lowered.graph[name].op
        ) == vars(conv_graph[name].op)
    assert lowered.report.proof.different == 0
    assert lowered.backends == ("nir", "spikingjelly")
    frames = torch.randn(3, 2, 2, 16, 16)
    runs = [lowered.run(frames, backend=name) for name in lowered.backends]
    assert torch.allclose(*(run.outputs for run in runs), rtol=0, atol=1e-12)


def test_a_folder_comes_back(lowered: NirLowered, tmp_path: Path) -> None:
    lowered.save(tmp_path)
    again = load(tmp_path)
    frames = torch.randn(4, 2, 2, 16, 16)
    assert torch.equal(again.run(frames).outputs, lowered.run(frames).outputs)
    assert again.report == lowered.report and again.backends == lowered.backends
    assert again.graph.metadata["float_certificate"]["fired"] > 0
    text = (tmp_path / "README.txt").read_text()
    code = text.split("[T, B, 2, 16, 16]):\n\n")[1]
    code = code.replace("model.nir", str(tmp_path / "model.nir"))
    given = {"frames": frames}
    exec(compile("\n".join(line[4:] for line in code.splitlines()), "README", "exec"), given)
    outputs = torch.stack(given["outputs"]).double()
    assert torch.allclose(outputs, lowered.run(frames).outputs, rtol=0, atol=1e-12)


def test_a_folder_that_does_not_fit_together_is_refused(
    lowered: NirLowered, conv_graph: Graph, tmp_path: Path
) -> None:
    lowered.save(tmp_path)
    (tmp_path / "model.nir").write_bytes(lower(conv_graph, dt=1.0).content)
    with pytest.raises(FileError, match="does not belong"):
        load(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(FileError, match="no report"):
        load(tmp_path)
    (tmp_path / "report.json").unlink()
    with pytest.raises(FileError, match="does not exist"):
        load(tmp_path)


def test_paths_domains_and_steps_come_back() -> None:
    graph = nir_graphs.chain([("conv", nir_graphs.conv(0)), ("n", nir_graphs.NEURONS["lif"])],
                             (3, 4, 4), "graded")  # fmt: skip
    graph.metadata["fixed_steps"] = 3
    back = lower(graph).graph
    assert back["n"].path == "net.n" and back.input.domain is Domain.GRADED
    with pytest.raises(UsageError, match="takes 3"):
        lower(graph).run(torch.zeros(2, 1, 3, 4, 4))
    assert read(lower(graph).content, input_domain="spike").input.domain is Domain.SPIKE


def test_a_missing_bias_is_still_missing() -> None:
    """So that no addition is counted for it."""
    back = lower(nir_graphs.chain([("conv", nir_graphs.conv(0, bias=False))], (3, 4, 4))).graph
    assert isinstance(back["conv"].op, Conv) and back["conv"].op.bias is None


def test_a_maximum_of_spikes_comes_back_as_one() -> None:
    pool = MaxPool((2, 2), (2, 2), (0, 0))
    back = lower(nir_graphs.chain([("pool", pool)], (3, 4, 4), "spike")).graph
    assert [node.op.kind for node in back] == ["input", "max_pool"]


@pytest.mark.parametrize("over", [MeanTime(), SumTime()])
def test_what_is_left_over_time_is_told(over: MeanTime | SumTime) -> None:
    graph = nir_graphs.chain([("n", nir_graphs.NEURONS["if"]), ("time", over)], (3, 4, 4))
    lowered = lower(graph)
    assert "over time is left to its reader" in " ".join(lowered.report.warnings())
    frames = nir_graphs.frames_for(graph)
    want = nir_graphs.runs_of(graph, frames)["output"]
    for name in lowered.backends:
        assert torch.allclose(lowered.run(frames, backend=name).outputs, want)


def test_a_network_that_does_not_fire_is_told() -> None:
    graph = nir_graphs.chain([("n", nir_graphs.NEURONS["if"])], (3,))
    lowered = lower(graph, torch.zeros(3, 1, 3))
    assert any("Nothing proven" in each for each in lowered.report.warnings())


def test_a_file_that_says_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikeport.targets.nir import lowered as module

    graph = nir_graphs.chain([("n", nir_graphs.NEURONS["lif"])], (3,))
    other = nir_graphs.chain([("n", nir_graphs.NEURONS["if"])], (3,))
    monkeypatch.setattr(module, "read", lambda content: other)
    with pytest.raises(CheckFailed, match="spikes differ"):
        lower(graph)


def test_what_cannot_be_meant_is_refused(lowered: NirLowered) -> None:
    graph = nir_graphs.chain([("n", nir_graphs.NEURONS["if"])], (3,))
    for options in ({"dt": 0.0}, {"dt": float("inf")}, {"expand": True}):
        with pytest.raises(UsageError, match="lowering option"):
            lower(graph, **options)
    with pytest.raises(UnknownNameError):
        lowered.run(torch.zeros(1, 1, 2, 16, 16), backend="norse")
    for name in lowered.backends:
        with pytest.raises(UsageError):
            lowered.run(torch.zeros(1, 1, 2, 8, 8), backend=name)


def test_delays_in_a_row_and_in_loops() -> None:
    graph = Graph()
    graph.add("input", Input((2,), Domain.SPIKE, True))
    graph.add("first", Delay("input", (2,), Domain.SPIKE))
    graph.add("second", Delay("first", (2,), Domain.SPIKE))
    graph.outputs = ("second",)
    back = lower(graph).graph
    frames = (nir_graphs.random(1, 6, 1, 2) > 0).double()
    want = torch.cat([torch.zeros(2, 1, 2), frames[:-2]])
    assert torch.equal(nir_graphs.runs_of(back, frames)["output"], want)
    assert back["second"].domain is Domain.SPIKE
