"""Other frameworks: what they make of files of ours, and what we make of theirs."""

from __future__ import annotations

import io
from typing import Any

import nir
import nir_graphs
import pytest
import torch
from spikingjelly.activation_based import functional, layer, neuron, nir_exchange
from torch import Tensor, nn

from spikeport.convert import Graph, Interpreter
from spikeport.convert.ops import IF, LIF, AvgPool, Conv, Linear, Reshape
from spikeport.targets.nir import lower, read

snntorch = pytest.importorskip("snntorch")


def on_snntorch(content: bytes, frames: Tensor) -> Tensor:
    """A file run by snnTorch on frames `[T, B, *shape]`."""
    from snntorch.import_nir import import_from_nir

    model, state, outputs = import_from_nir(nir.read(io.BytesIO(content))), None, []
    with torch.no_grad():
        for frame in frames.float():
            output, state = model(frame, state)
            # Its IF neurons give their membrane too.
            outputs.append(output[0] if isinstance(output, tuple) else output)
    return torch.stack(outputs)


def conv_net(neuron: LIF) -> Graph:
    random = nir_graphs.random
    return nir_graphs.chain(
        [
            ("conv", Conv(random(0, 4, 2, 3, 3), random(1, 4), (1, 1), (1, 1), (1, 1))),
            ("first", neuron),
            ("pool", AvgPool((2, 2), (2, 2), (0, 0), True)),
            ("flat", Reshape((64,))),
            ("fc", Linear(random(2, 12, 64) * 0.4, random(3, 12) * 0.1)),
            ("second", neuron),
        ],
        (2, 8, 8),
    )


@pytest.mark.parametrize("decays", [True, False])
def test_snntorch_runs_a_conv_net_with_equal_spikes(decays: bool) -> None:
    """Membranes are far from thresholds: random weights never meet them exactly."""
    lowered = lower(conv_net(LIF(2.0, decays, 0.4, 0.0)))
    frames = nir_graphs.random(5, 20, 3, 2, 8, 8)
    ours = lowered.run(frames).outputs
    assert 0.05 < float(ours.mean()) < 0.95
    assert torch.equal(on_snntorch(lowered.content, frames), ours.float())


def test_where_snntorch_differs_at_the_threshold() -> None:
    """It fires above it, as NIR says; a file read with fires='above' is what snnTorch runs."""
    lowered = lower(nir_graphs.chain([("n", LIF(2.0, False, 1.0, 0.0))], (1,)), torch.ones(2, 1, 1))
    frames = torch.ones(4, 1, 1)
    assert lowered.run(frames).outputs.ravel().tolist() == [1, 1, 1, 1]
    theirs = on_snntorch(lowered.content, frames)
    assert theirs.ravel().tolist() == [0, 1, 0, 1]
    read_above = read(lowered.content, fires="above")
    assert torch.equal(Interpreter(read_above).run(frames), theirs)
    assert any("exactly" in each for each in lowered.report.warnings())


def test_where_snntorch_differs_for_if_neurons() -> None:
    """It refuses them at dt = 1e-4, and at dt = 1 takes them for leaky ones with soft reset."""
    random = nir_graphs.random
    graph = nir_graphs.chain([("fc", Linear(random(0, 32, 16), None)), ("n", IF(1.0, 0.0))], (16,))
    frames = random(1, 50, 4, 16)
    with pytest.raises(AssertionError, match="r != 1"):
        on_snntorch(lower(graph).content, frames)
    lowered = lower(graph, dt=1.0)
    theirs = on_snntorch(lowered.content, frames)
    ours = lowered.run(frames).outputs.float()
    assert 0.02 < float((theirs != ours).double().mean()) < 0.5
    assert torch.equal(lowered.run(frames, backend="spikingjelly").outputs.float(), ours)


def spikingjelly_net() -> nn.Module:
    net = nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1),
        neuron.IFNode(v_threshold=0.5),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Linear(64, 16, bias=False),
        neuron.LIFNode(tau=3.0, v_threshold=0.2, decay_input=False),
        layer.Linear(16, 16),
        neuron.ParametricLIFNode(v_threshold=0.1),
        layer.Linear(16, 8),
        neuron.CUBALIFNode(v_threshold=0.2, v_reset=0.0),
    )
    functional.set_step_mode(net, "s")
    return net.double().eval()


def test_what_spikingjelly_exports_is_read_with_equal_spikes() -> None:
    torch.manual_seed(0)
    net = spikingjelly_net()
    frames = torch.randn(12, 3, 2, 8, 8, dtype=torch.float64)
    network = nir_exchange.export_to_nir(net, frames[0])
    functional.reset_net(net)
    with torch.no_grad():
        want = torch.stack([net(frame) for frame in frames])
    assert 0.02 < float(want.mean()) < 0.98
    graph = read(network, fires="at")
    kinds = [node.op.kind for node in graph if node.op.kind in ("if", "lif", "integrator")]
    assert kinds == ["if", "lif", "lif", "integrator", "lif"]
    assert torch.equal(Interpreter(graph, torch.float64).run(frames), want)
    # And by our own file once more.
    again = lower(graph, frames)
    assert again.report.proof.different == 0


def test_what_snntorch_exports_is_read_with_equal_spikes() -> None:
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(0)
    options: dict[str, Any] = {"init_hidden": True, "reset_mechanism": "zero", "reset_delay": False}
    ones = torch.ones(24)
    net = nn.Sequential(
        nn.Linear(16, 24),
        snntorch.Leaky(beta=0.8 * ones, threshold=0.5 * ones, **options),
        nn.Linear(24, 24),
        snntorch.Leaky(beta=0.9 * ones, threshold=0.3 * ones, output=True, **options),
    )
    frames = torch.randn(30, 4, 16)
    network = export_to_nir(net, frames[0, 0])
    for module in net.modules():
        if isinstance(module, snntorch.Leaky):
            module.mem = module.mem * 0
            module.reset_hidden()
    with torch.no_grad():
        want = torch.stack([net(frame)[0] for frame in frames])
    assert 0.02 < float(want.mean()) < 0.98
    got = Interpreter(read(network)).run(frames)
    # Beta goes to a time constant and back in float32.
    assert float((got != want).double().mean()) < 2e-3


def test_r_of_one_is_asked_about() -> None:
    """As sinabs and Norse write IF neurons; by NIR's equation it is 1e-4 of the input per step."""
    import numpy as np

    from spikeport.core.errors import UnsupportedError

    node = nir.IF(np.ones(2), np.full(2, 1.5), np.zeros(2))
    network = nir.NIRGraph(
        {"input": nir.Input(np.array([2])), "n": node, "output": nir.Output(np.array([2]))},
        [("input", "n"), ("n", "output")],
    )
    with pytest.raises(UnsupportedError, match=r"r = 1 adds 0\.0001 times"):
        read(network)
    graph = read(network, dt=1.0)
    outputs = Interpreter(graph).run(torch.ones(4, 1, 2))
    assert outputs[:, 0, 0].tolist() == [0, 1, 0, 1]
