"""Graph -> modules -> graph: the same structure, the same parameters, the same spikes."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from nets import NETS, lively
from nir_graphs import frames_for, nir_graphs
from random_nets import BLOCKS, NEURONS, OF_OTHER_TOOLS, RandomNet, random_nets
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

import spikeport
from spikeport import to_torch
from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    LIF,
    OPS,
    Add,
    Delay,
    EulerNeuron,
    Input,
    Integrator,
    Neuron,
    Op,
    Scale,
    SumPool,
    Threshold,
)
from spikeport.convert.ops.base import Stateless
from spikeport.convert.passes import cancel_views, remove_dead
from spikeport.convert.tracing import trace_unproven
from spikeport.core.errors import UnsupportedError
from spikeport.targets.spikingjelly.writers import WRITERS
from spikeport.train.models import MODELS, create_model
from spikeport.train.models.stf.options import VARIANTS


def scales_apart(graph: Graph) -> Graph:
    """x f / d as the product and the quotient that it is: two lines of a forward."""
    apart = Graph(metadata=dict(graph.metadata))
    for node in graph:
        op, inputs = node.op, list(node.inputs)
        if isinstance(op, Scale) and op.factor != 1 and op.divisor != 1:
            inputs = [apart.add(f"{node.name}.product", Scale(op.factor), inputs).name]
            op = Scale(divisor=op.divisor)
        apart.add(node.name, op, inputs, path=node.path)
    apart.outputs = graph.outputs
    return apart


def canonical(graph: Graph) -> list[str]:
    """What each node computes from the inputs on, without names; loops to a depth of four."""
    shown = dict.fromkeys((node.name for node in graph), "")
    for _ in range(4):
        seen: dict[str, str] = {}
        for node in graph:
            parts = [node.op.kind, str(node.shape), str(node.domain), str(node.per_step)]
            parts += [seen[name] for name in node.inputs]
            parts += [shown[node.op.feedback]] if node.op.feedback else []
            for field in fields(node.op):
                value = getattr(node.op, field.name)
                if isinstance(value, Tensor):
                    parts.append(str(tuple(value.shape)) + str(value.double().numpy().tobytes()))
                elif field.name != "source":
                    parts.append(f"{field.name}={value}")
            seen[node.name] = hashlib.sha256("|".join(parts).encode()).hexdigest()
        shown = seen
    return sorted([*shown.values(), *(f"out {shown[name]}" for name in graph.outputs)])


def spikes_of(graph: Graph, frames: Tensor) -> tuple[list[tuple[str, Tensor]], Tensor]:
    found: list[tuple[str, Tensor]] = []

    def keep(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            found.append((node.path, value.clone()))

    return found, Interpreter(graph, torch.float64).run(frames, keep)


def _digest(found: tuple[str, Tensor]) -> str:
    return hashlib.sha256(str(found[1].shape).encode() + found[1].numpy().tobytes()).hexdigest()


def goes_back(graph: Graph, frames: Tensor, *, fold: bool = True, paths: bool = True) -> nn.Module:
    """There and back; the module, having been compared with the graph.

    Args:
        paths: whether each neuron is found at the path that it had.
    """
    graph = scales_apart(cancel_views(remove_dead(graph)))
    net = to_torch(graph, dtype=torch.float64)
    entry = graph.input
    layout = "TBCHW" if entry.per_step else None
    domain = entry.domain
    again = trace(
        net,
        frames.double(),
        layout=layout if frames.ndim == 5 else None,
        input_domain=domain,
        fold=fold,
    )
    assert canonical(again) == canonical(graph)
    expected, output = spikes_of(graph, frames.double())
    found, ours = spikes_of(again, frames.double())
    if paths:
        order = dict(found)
        assert sorted(order) == sorted(path for path, _ in expected)
        for path, spikes in expected:
            assert torch.equal(order[path], spikes), path
    assert sorted(map(_digest, found)) == sorted(map(_digest, expected))
    functional.reset_net(net)
    with torch.no_grad():
        assert torch.allclose(net(frames.double()), output, rtol=1e-12, atol=1e-12)
    assert torch.allclose(ours, output, rtol=1e-12, atol=1e-12)
    return net


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_nets({**BLOCKS, **OF_OTHER_TOOLS}))
def test_random_networks_go_back(net: RandomNet) -> None:
    graph = trace(net, net.sample())
    goes_back(graph, to_graph_layout(graph, net.sample(3)))


@settings(max_examples=6, deadline=None, derandomize=True)
@given(nir_graphs())
def test_random_graphs_of_nir_files_go_back(graph: Graph) -> None:
    assume(not any(isinstance(node.op, Delay) and node.name.endswith("late") for node in graph))
    goes_back(graph, frames_for(graph), paths=False)  # no modules of one network: paths may meet


@pytest.mark.parametrize("block", [*BLOCKS, *OF_OTHER_TOOLS])
def test_every_block_goes_back(block: str) -> None:
    torch.manual_seed(2)
    kind = NEURONS[[*sorted(BLOCKS), *OF_OTHER_TOOLS].index(block) % len(NEURONS)]
    net = RandomNet([(block, kind)], "time").eval()
    graph = trace_unproven(net, net.sample(), input_domain=Domain.REAL)
    goes_back(graph, net.sample(3), fold=False)


@pytest.mark.parametrize("name", NETS)
def test_nets_of_spikingjelly_layers_go_back(name: str) -> None:
    make, shape = NETS[name]
    torch.manual_seed(0)
    x = torch.randn(shape) * 2
    graph = trace(lively(make()), x)
    goes_back(graph, to_graph_layout(graph, x))


FORMER = {"dim": 32, "heads": 4}
FAMILIES = {
    "max_former_event": FORMER,
    "max_former_cifar": {**FORMER, "steps": 2},
    "ms_qkformer_event": FORMER,
    "max_resnet18": {"widths": (8, 8, 16)},
    "ms_resnet18_2222": {"widths": (8, 8, 16, 16)},
    "spikformer_cifar_4_384": {**FORMER, "depth": 1},
    "spikformer_event": {**FORMER, "depth": 1},
}


def of_the_zoo(name: str, **options: object) -> tuple[Graph, Tensor]:
    torch.manual_seed(0)
    entry = MODELS[name]
    model = lively(create_model(name, image_size=(32, 32), **options))
    channels = entry.input_shape[0]
    frames = torch.poisson(torch.full((2, 3, channels, 32, 32), 0.5))
    x = torch.randn(2, channels, 32, 32) if entry.static else frames
    domain = Domain.REAL if entry.static else Domain.GRADED
    graph = trace_unproven(model, x, input_domain=domain)
    return graph, to_graph_layout(graph, x)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_families_of_the_zoo_go_back(name: str) -> None:
    graph, frames = of_the_zoo(name, **FAMILIES[name])
    net = goes_back(graph, frames, fold=False)
    paths = {node.path for node in graph if isinstance(node.op, Neuron)}
    nodes = {path for path, module in net.named_modules() if isinstance(module, neuron.BaseNode)}
    assert nodes == paths
    assert any(isinstance(module, nn.BatchNorm2d) for module in net.modules())


@pytest.mark.parametrize("variant", VARIANTS)
def test_temporal_feedback_goes_back(variant: str) -> None:
    stages = ({"embedding": "orig", "mixer": "dwc3"},)
    graph, frames = of_the_zoo(
        "max_former_cifar", dim=32, heads=4, steps=3, stages=stages, stf=variant
    )
    goes_back(graph, frames, fold=False)


def test_it_learns() -> None:
    """Gradients reach every parameter, and the membrane is kept between calls until reset."""
    torch.manual_seed(0)
    net = RandomNet([("residual", "plif"), ("layer", "lif")], "image")
    graph = trace(net.eval(), net.sample(), fold=False)
    module = to_torch(graph).train()
    assert not {p.dtype for p in module.parameters()} - {torch.float32}
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    x, labels = net.sample(8), torch.arange(8) % 3
    losses = []
    for _ in range(25):
        functional.reset_net(module)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(x), labels)
        loss.backward()
        if not losses:
            assert all(p.grad is not None and bool(p.grad.any()) for p in module.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def graph_of(*nodes: tuple[str, Op, tuple[str, ...]]) -> Graph:
    graph = Graph(outputs=(nodes[-1][0],))
    for name, op, inputs in nodes:
        graph.add(name, op, inputs, path=name)
    return graph


class Unknown(Stateless):
    kind = "unknown"

    def infer_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
        return inputs[0]


def test_what_other_tools_bring_in_learns() -> None:
    """Spikes in the forward, a gradient through each of them in the backward."""
    one = torch.ones(1)
    for op in (
        EulerNeuron(2 * one, one, 0 * one, 0.5 * one, 0 * one, strict=True),
        EulerNeuron(None, one, 0 * one, 0.5 * one, 0 * one, strict=False),
        Integrator(2 * one, one, 0 * one),
        Threshold(0.5 * one, strict=False),
    ):
        graph = graph_of(FRAMES, ("op", op, ("input",)))
        net = to_torch(graph, dtype=torch.float64).train()
        x = torch.rand(4, 2, 3, dtype=torch.float64, requires_grad=True)
        output = net(x)
        assert torch.equal(output.detach(), Interpreter(graph, torch.float64).run(x.detach()))
        (gradient,) = torch.autograd.grad(output.sum(), x)
        assert bool((gradient != 0).all()), op.kind


def test_a_sum_pool_over_one_axis_has_no_layer() -> None:
    entry = ("input", Input((3, 8), Domain.REAL, per_step=True), ())
    graph = graph_of(entry, ("pool", SumPool((2,), (2,), (0,)), ("input",)))
    with pytest.raises(UnsupportedError, match="pool: PyTorch has no sum over windows of one axis"):
        to_torch(graph)


FRAMES = ("input", Input((3,), Domain.REAL, per_step=True), ())
LEAKY = LIF(tau=2.0, decay_input=True, v_threshold=0.3, v_reset=0.0)


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([FRAMES, ("odd", Unknown(), ("input",))], "odd: unknown has no counterpart"),
        ([FRAMES, ("old", Delay("input", (3,), Domain.REAL), ())], "old: a delay outside"),
        (
            [FRAMES, ("fast", LIF(0.5, True, 1.0, 0.0), ("input",))],
            "fast: .*no time constant of 0.5",
        ),
        (
            [
                FRAMES,
                ("second", Scale(2.0), ("input",)),
                ("back", Delay("lif", (3,), Domain.SPIKE), ()),
                ("in", Add(), ("input", "back")),
                ("lif", LEAKY, ("in",)),
                ("both", Add(), ("lif", "in")),
            ],
            "2 values leave this loop",
        ),
        (
            [
                FRAMES,
                ("back", Delay("lif", (3,), Domain.SPIKE), ()),
                ("more", Delay("in", (3,), Domain.REAL), ()),
                ("in", Add(), ("input", "back")),
                ("sum", Add(), ("in", "more")),
                ("lif", LEAKY, ("sum",)),
            ],
            "outside|2 feedbacks|leave",
        ),
    ],
)
def test_what_has_no_module_is_refused_by_name(nodes: list, why: str) -> None:
    with pytest.raises(UnsupportedError, match=why):
        to_torch(graph_of(*nodes))


def test_paths_that_collide_are_numbered() -> None:
    """Two neurons of one path, and one whose path runs through another's."""
    graph = Graph()
    graph.add("input", Input((3,), Domain.REAL, per_step=True))
    graph.add("a", LEAKY, ("input",), path="block")
    graph.add("b", LEAKY, ("a",), path="block")
    graph.add("c", LEAKY, ("b",), path="block.inner")
    graph.add("d", LEAKY, ("c",), path="forward")
    graph.outputs = ("d",)
    net = to_torch(graph, dtype=torch.float64)
    frames = torch.rand(4, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(net(frames), Interpreter(graph, torch.float64).run(frames))
    assert len([m for m in net.modules() if isinstance(m, neuron.BaseNode)]) == 4


def test_every_op_but_the_input_has_a_writer() -> None:
    own = {name for name in OPS if OPS[name].__module__.startswith("spikeport.convert.ops")}
    assert {name for name in own if OPS[name] not in WRITERS} == {"input"}


def test_it_is_a_public_name() -> None:
    assert spikeport.to_torch is to_torch
