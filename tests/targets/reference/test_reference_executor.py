"""The fast executor emits the interpreter's spikes, on every op and on random networks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from nets import NETS, lively
from random_nets import BLOCKS, NEURONS, RandomNet, random_nets
from torch import Tensor

from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    AddPerStep,
    Conv,
    Delay,
    Input,
    MeanTime,
    Neuron,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
    SumTime,
)
from spikeport.convert.tracing import trace_unproven
from spikeport.targets.lowered import Run, run_executor
from spikeport.targets.reference import ReferenceExecutor, flips
from spikeport.targets.reference.kernels import onednn

LAYOUTS = ("contiguous", "channels_last")


def values(executor: object, frames: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Every node's value, and the output."""
    seen: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> None:
        assert node.name not in seen and all(name in seen for name in node.inputs), node.name
        seen[node.name] = value.clone()

    return seen, executor.run(frames, keep)


def same(graph: Graph, frames: Tensor, layout: str) -> None:
    """Spikes equal, everything else within rounding of float64; a tap changes nothing."""
    frames = frames.double()
    given = frames.clone()
    expected, output = values(Interpreter(graph, torch.float64), frames)
    executor = ReferenceExecutor(graph, torch.float64, layout=layout)
    seen, ours = values(executor, frames)
    assert set(seen) == set(expected)
    for node in graph:
        left, right = seen[node.name], expected[node.name]
        assert left.shape == right.shape, node.name
        if isinstance(node.op, Neuron):
            assert torch.equal(left, right), node.name
        else:
            assert torch.allclose(left, right, rtol=1e-12, atol=1e-12), node.name
    assert torch.allclose(ours, output, rtol=1e-12, atol=1e-12)
    assert torch.equal(executor.run(frames), ours)
    assert torch.equal(frames, given)


def near(graph: Graph, frames: Tensor) -> None:
    """In float32 a spike in a thousand may differ: sums that meet a threshold within rounding."""
    found = flips(ReferenceExecutor(graph, torch.float32), frames)
    assert found.flipped <= max(2, 1e-3 * found.spikes), found
    if not found.flipped:
        assert found.output_difference < 1e-4
    executor = ReferenceExecutor(graph, torch.float32)
    assert torch.equal(executor.run(frames), values(executor, frames)[1])


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_nets())
def test_random_networks(net: RandomNet) -> None:
    graph = trace_unproven(net, net.sample(), input_domain=Domain.REAL)
    frames = to_graph_layout(graph, net.sample(3))
    for layout in LAYOUTS:
        same(graph, frames, layout)
    near(graph, frames)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_alone(block: str) -> None:
    torch.manual_seed(2)
    kind = NEURONS[sorted(BLOCKS).index(block) % len(NEURONS)]
    net = RandomNet([(block, kind)], "image").eval()
    graph = trace_unproven(net, net.sample(), input_domain=Domain.REAL)
    frames = to_graph_layout(graph, net.sample(3))
    for layout in LAYOUTS:
        same(graph, frames, layout)
    near(graph, frames)


@pytest.mark.parametrize("kind", NEURONS)
@pytest.mark.parametrize("engine", ["auto", "plain"])
def test_every_neuron(kind: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEPORT_NEURONS", engine)
    torch.manual_seed(0)
    net = RandomNet([("residual", kind), ("layer", kind)], "time").eval()
    graph = trace_unproven(net, net.sample(), input_domain=Domain.REAL)
    frames = to_graph_layout(graph, net.sample(3))
    for layout in LAYOUTS:
        same(graph, frames, layout)
    fused = "C, all steps fused" in ReferenceExecutor(graph).kernels.values()
    assert not (fused and engine == "plain")


@pytest.mark.parametrize("name", NETS)
def test_nets_of_spikingjelly_layers(name: str) -> None:
    make, shape = NETS[name]
    torch.manual_seed(0)
    x = torch.randn(shape) * 2
    graph = trace(lively(make()), x)
    for layout in LAYOUTS:
        same(graph, to_graph_layout(graph, x), layout)
    near(graph, to_graph_layout(graph, x))


def test_batches_of_other_sizes_and_lengths(max_former) -> None:
    executor, frames = ReferenceExecutor(max_former.graph), max_former.frames
    whole = executor.run(frames)
    assert torch.allclose(executor.run(frames[:, :1]), whole[:1], atol=1e-5)
    assert torch.allclose(executor.run(frames), whole, atol=1e-5)
    same(max_former.graph, frames[:2], "channels_last")
    same(max_former.graph, frames[:1, :1], "channels_last")


def test_work_is_saved_where_the_plan_says_so(max_former) -> None:
    executor = ReferenceExecutor(max_former.graph)
    kernels = executor.kernels
    assert kernels["shortcut"] == "part of stream" and kernels["fc"] == "part of mlp"
    spare = {step.makes[0].name: step.spare for step in executor._plan.steps}
    assert spare["stem_lif"] == 0 and spare["stream"] == 1 and spare["mixer_lif"] is None


@pytest.mark.skipif(not onednn.works(torch.float32), reason="this PyTorch has no oneDNN")
def test_without_onednn_torch_computes(max_former, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = ReferenceExecutor(max_former.graph)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    onednn.works.cache_clear()
    try:
        without = ReferenceExecutor(max_former.graph)
        assert "oneDNN" not in " ".join(without.kernels.values())
        assert "oneDNN" in " ".join(with_it.kernels.values())
        left = run_executor(with_it, max_former.frames, "")
        right = run_executor(without, max_former.frames, "")
    finally:
        onednn.works.cache_clear()
    assert differing(left, right) < 1e-3


def differing(left: Run, right: Run) -> float:
    """The share of spikes that differ."""
    total = sum(value.numel() for value in left.spikes.values())
    return sum(int((v != right.spikes[n]).sum()) for n, v in left.spikes.items()) / total


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_reports_its_flips(max_former, dtype: str) -> None:
    executor = ReferenceExecutor(max_former.graph, dtype)
    found = flips(executor, max_former.frames)
    assert 0 < found.share < 0.05
    assert found.first and found.dtype == dtype
    assert found.spikes == sum(layer.spikes for layer in found.layers)
    # Counted by hand, on the executor's own run.
    run = run_executor(executor, max_former.frames, "")
    exact = run_executor(Interpreter(max_former.graph, torch.float64), max_former.frames, "")
    assert found.share == pytest.approx(differing(exact, run))
    assert torch.equal(executor.run(max_former.frames), run.outputs)


def test_half_precision_keeps_membranes_in_float32() -> None:
    """300 currents of 1/256 sum up to more than 1 in float32; in bfloat16 they stay below 0.6."""
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((70000,), Domain.REAL, per_step=True))
    graph.add("lif", IF(v_threshold=1.0, v_reset=0.0), ("input",))
    frames = torch.full((256, 1, 70000), 1 / 256)
    for dtype in ("bfloat16", "float16"):
        spikes = ReferenceExecutor(graph, dtype).run(frames)
        assert bool((spikes[-1] == 1).all()) and not bool(spikes[:-1].any())


def graph_of(*nodes: tuple[str, object, tuple[str, ...]], output: str = "") -> Graph:
    graph = Graph()
    for name, op, inputs in nodes:
        graph.add(name, op, inputs)
    graph.outputs = (output or nodes[-1][0],)
    return graph


LEAKY = LIF(tau=2.0, decay_input=True, v_threshold=0.3, v_reset=0.0)


def test_a_value_that_is_read_again_is_not_written_over() -> None:
    """By a view, by the output, by a second reader, by both ports of a sum."""
    per_step = Input((4, 4), Domain.REAL, per_step=True)
    nodes = [
        ("input", per_step, ()),
        ("a", Scale(2.0), ("input",)),
        ("b", Scale(-1.5), ("a",)),
        ("turned", Permute((1, 0)), ("b",)),
        ("both", Add(), ("b", "turned")),
        ("lif", LEAKY, ("both",)),
        ("again", Add(), ("lif", "lif")),
        ("flat", Reshape((16,)), ("turned",)),
        ("end", Reshape((4, 4)), ("flat",)),
        ("sum", Add(), ("end", "again")),
        ("total", Add(), ("sum", "a")),
    ]
    for output in ("total", "both", "lif", "b", "a", "turned"):
        for layout in LAYOUTS:
            same(graph_of(*nodes, output=output), torch.randn(3, 2, 4, 4), layout)


def test_what_is_the_same_at_each_step_is_computed_once_and_mixes_with_the_rest() -> None:
    torch.manual_seed(0)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    conv = Conv(weight, None, (1, 1), (1, 1), (1, 1))
    nodes = [
        ("input", Input((2, 4, 4), Domain.REAL, per_step=False), ()),
        ("repeat", RepeatTime(3), ("input",)),
        ("conv", conv, ("repeat",)),
        ("twin", conv, ("repeat",)),
        ("lif", LEAKY, ("conv",)),
        ("other", LEAKY, ("twin",)),
        ("mixed", Add(), ("lif", "twin")),
        ("embedded", AddPerStep(torch.randn(3, 3, 1, 1, dtype=torch.float64)), ("conv",)),
        ("all", Add(), ("embedded", "mixed")),
        ("last", LEAKY, ("all",)),
        ("counted", SumTime(), ("last",)),
        ("mean", MeanTime(), ("twin",)),
        ("total", Add(), ("counted", "mean")),
        ("anew", RepeatTime(5), ("total",)),
        ("five", LEAKY, ("anew",)),
    ]
    x = torch.randn(2, 2, 4, 4)
    for output in ("five", "total", "conv", "repeat", "other", "mixed", "input"):
        for layout in LAYOUTS:
            same(graph_of(*nodes, output=output), x, layout)
    kernels = ReferenceExecutor(graph_of(*nodes)).kernels
    assert kernels["twin"] == "as conv" and kernels["other"] == "as lif"
    assert kernels["repeat"] == "as input"


def test_a_delay_outside_of_a_loop_and_one_inside() -> None:
    nodes = [
        ("input", Input((3,), Domain.REAL, per_step=True), ()),
        ("old", Delay("input", (3,), Domain.REAL), ()),
        ("back", Delay("scaled", (3,), Domain.SCALED), ()),
        ("in", Add(), ("input", "back")),
        ("lif", LEAKY, ("in",)),
        ("scaled", Scale(-0.5), ("lif",)),
        ("out", Add(), ("scaled", "old")),
    ]
    for output in ("out", "lif"):
        same(graph_of(*nodes, output=output), torch.randn(5, 2, 3), "contiguous")


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@cuda
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_on_a_gpu(max_former, dtype: str) -> None:
    executor = ReferenceExecutor(max_former.graph, dtype, "cuda")
    found = flips(executor, max_former.frames)
    assert found.share <= {"float64": 0.0, "float32": 1e-3}.get(dtype, 0.05)
    assert executor.run(max_former.frames).device.type == "cuda"
