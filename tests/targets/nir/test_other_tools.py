"""Convolutional networks as snnTorch, Norse and sinabs export them: run, counted and lowered."""

from __future__ import annotations

import nir
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport import lower
from spikeport.convert import Graph, Interpreter
from spikeport.convert.ops import LIF, Neuron
from spikeport.core.errors import UnsupportedError
from spikeport.estimate import Tally, energy_model
from spikeport.estimate.api import energy
from spikeport.targets.lowered import run_executor
from spikeport.targets.nir import read

EVENTS = torch.poisson(
    torch.full((12, 4, 2, 8, 8), 0.6), generator=torch.Generator().manual_seed(0)
)


def chained(*nodes: nir.NIRNode) -> nir.NIRGraph:
    """One node after the other, unchecked, as exporters that know no shapes leave them."""
    named = {
        "input": nir.Input({"input": np.array([2, 8, 8])}),
        **{str(number): node for number, node in enumerate(nodes)},
        "output": nir.Output({"output": np.array([5])}),
    }
    edges = list(zip(list(named)[:-1], list(named)[1:], strict=True))
    return nir.NIRGraph(named, edges, type_check=False)


def operations(graph: Graph, frames: Tensor) -> dict[str, float]:
    """Synaptic operations per sample, by node."""
    tally = Tally(graph)
    tally.run(Interpreter(graph, torch.float64), frames.double())
    layers = energy(tally, energy_model("loihi1-davies")).layers
    return dict(zip(layers["node"], layers["sop"], strict=True))


def assert_lowers(graph: Graph) -> None:
    """In 8 bits on Lava's arithmetic; differences spread from layer to layer."""
    lowered = lower(graph, "lava", calibration=EVENTS)
    want = run_executor(Interpreter(graph, torch.float64), EVENTS.double(), "float").spikes
    for name, spikes in lowered.run(EVENTS, spikes=True).spikes.items():
        assert float((spikes == want[name]).double().mean()) > 0.93, name


def test_snntorch() -> None:
    """Its own exporter, its own forward; lowered to Lava, where half a time constant fits."""
    snntorch = pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    def leaky(threshold: float, *shape: int, **more: bool) -> nn.Module:
        ones = torch.ones(shape)
        module: nn.Module = snntorch.Leaky(
            beta=0.5 * ones, threshold=threshold * ones, init_hidden=True,
            reset_mechanism="zero", reset_delay=False, **more,
        )  # fmt: skip
        return module

    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), leaky(0.3, 4, 8, 8), nn.AvgPool2d((2, 2), (2, 2))),
        *(nn.Flatten(1), nn.Linear(64, 16), leaky(0.1, 16)),
        *(nn.Linear(16, 5), leaky(0.05, 5, output=True)),
    )
    network = export_to_nir(net, EVENTS[0, :1], ignore_dims=[0])
    for module in net.modules():
        if isinstance(module, snntorch.Leaky):
            module.mem = module.mem * 0
            module.reset_hidden()
    with torch.no_grad():
        want = torch.stack([net(frame)[0] for frame in EVENTS])
    assert 0.02 < float(want.mean()) < 0.98
    graph = read(network, input_domain="graded")
    assert torch.equal(Interpreter(graph).run(EVENTS), want)
    # Nothing meets a threshold exactly here, so that neurons which fire there are the same ones.
    at = read(network, input_domain="graded", fires="at")
    assert torch.equal(Interpreter(at).run(EVENTS), want)
    assert [node.op.tau for node in at if isinstance(node.op, LIF)] == [2.0, 2.0, 2.0]
    assert_lowers(at)


def test_norse() -> None:
    """Parameters without axes, float32, time in seconds at dt = 0.001, r of one."""
    random = np.random.default_rng(0)
    conv = random.normal(size=(4, 2, 3, 3)).astype(np.float32)
    linear = random.normal(size=(5, 64)).astype(np.float32)
    number = np.ones((), np.float32)

    def cell(threshold: float) -> nir.LIF:
        return nir.LIF(
            tau=0.005 * number, r=number, v_leak=0 * number, v_threshold=threshold * number,
            v_reset=0 * number,
        )  # fmt: skip

    network = chained(
        nir.Conv2d(None, conv, (2, 2), (1, 1), (1, 1), 1, np.zeros(4, np.float32)),
        cell(0.25),
        nir.Flatten({"input": np.array([4, 4, 4])}, 0, -1),
        nir.Linear(linear),
        cell(0.5),
    )
    graph = read(network, dt=1e-3, input_domain="graded")

    def box(currents: Tensor, threshold: float) -> Tensor:
        """v + dt / tau ((leak - v) + i); above the threshold a spike, and v is v_reset."""
        v, spikes = torch.zeros_like(currents[0]), []
        for current in currents:
            v = v + 0.001 / 0.005 * (-v + current)
            spikes.append((v > threshold).to(v))
            v = v * (1 - spikes[-1])
        return torch.stack(spikes)

    frames = EVENTS.double()
    weight = torch.from_numpy(conv).double()
    x = torch.stack([torch.conv2d(f, weight, None, 2, 1) for f in frames])
    x = box(x, 0.25)
    assert 0.02 < float(x.mean()) < 0.98
    want = box(x.flatten(2) @ torch.from_numpy(linear).double().T, 0.5)
    assert 0.02 < float(want.mean()) < 0.98
    assert torch.equal(Interpreter(graph, torch.float64).run(frames), want)
    assert operations(graph, frames)["3"] == pytest.approx(5 * float(x.sum()) / 4)
    with pytest.raises(UnsupportedError, match="shorter than a time step"):
        read(network, dt=1e-2, input_domain="graded")


def sinabs_net(flatten: nir.NIRNode) -> tuple[nir.NIRGraph, Tensor, Tensor]:
    """Thresholds `[1, C, H, W]` with the batch axis of the membrane, r of one, no bias, tensors."""
    generator = torch.Generator().manual_seed(0)
    conv = torch.randn(4, 2, 3, 3, generator=generator)
    linear = torch.randn(5, 64, generator=generator) * 0.2

    def cell(*shape: int) -> nir.IF:
        return nir.IF(r=torch.ones(1, *shape), v_threshold=torch.ones(1, *shape))

    nodes = (
        nir.Conv2d(None, conv, (1, 1), (1, 1), (1, 1), 1, torch.zeros(4)),
        *(cell(4, 8, 8), nir.SumPool2d((2, 2), (2, 2), (0, 0)), flatten),
        *(nir.Affine(linear, torch.zeros(5)), cell(5)),
    )
    return chained(*nodes), conv, linear


def test_sinabs() -> None:
    """The file says hard reset, as NIR's IF has it: that is what runs.

    sinabs itself subtracts the threshold, holds the membrane above its negative and may emit
    several spikes per step; none of this is in its files.
    """
    network, conv, linear = sinabs_net(nir.Flatten({"input": np.array([4, 4, 4])}, 0, -1))
    graph = read(network, dt=1.0, input_domain="graded", fires="at")
    assert [node.op.kind for node in graph if isinstance(node.op, Neuron)] == ["if", "if"]

    def iaf(currents: Tensor, *, hard: bool) -> Tensor:
        v, spikes = torch.zeros_like(currents[0]), []
        for current in currents:
            v = v + current
            if hard:
                spikes.append((v >= 1).to(v))
                v = v * (1 - spikes[-1])
            else:
                spikes.append(v.floor().clamp(min=0))
                v = (v - spikes[-1]).clamp(min=-1)
        return torch.stack(spikes)

    frames, x = EVENTS.double(), []
    x = torch.stack([torch.conv2d(f, conv.double(), None, 1, 1) for f in frames])
    outputs = {}
    for hard in (True, False):
        spikes = iaf(x, hard=hard).flatten(0, 1)
        pooled = nn.functional.avg_pool2d(spikes, 2, divisor_override=1)
        currents = pooled.flatten(1).unflatten(0, frames.shape[:2]) @ linear.double().T
        outputs[hard] = iaf(currents, hard=hard)
    got = Interpreter(graph, torch.float64).run(frames)
    assert 0.02 < float(got.mean()) < 0.98
    assert torch.equal(got, outputs[True])
    assert float((got != outputs[False]).double().mean()) > 0.05
    with pytest.raises(UnsupportedError, match="2: Lava has no counterpart for 'sum_pool'"):
        lower(graph, "lava", calibration=EVENTS)


def test_sinabs_flattens_from_the_axis_behind_its_batch() -> None:
    """It writes PyTorch's start_dim = 1, which in NIR leaves the channels apart: refused."""
    network, _, _ = sinabs_net(nir.Flatten({"input": np.zeros(4, int)}, 1, -1))
    with pytest.raises(UnsupportedError, match=r"cannot read \[4, 16\]"):
        read(network, dt=1.0, input_domain="graded")


def test_without_the_step_r_of_one_is_asked_about() -> None:
    network, _, _ = sinabs_net(nir.Flatten({"input": np.array([4, 4, 4])}, 0, -1))
    with pytest.raises(UnsupportedError, match=r"r = 1 adds 0\.0001 times"):
        read(network, input_domain="graded")
