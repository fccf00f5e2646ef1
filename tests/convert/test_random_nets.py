"""Random networks: model, graph, folded graph, all passes and the stored graph agree."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from random_nets import BLOCKS, NEURONS, RandomNet, random_nets
from spikingjelly.activation_based import functional
from torch import Tensor

from spikeport.convert import (
    Graph,
    Interpreter,
    to_graph_layout,
    trace,
    verify,
)
from spikeport.convert.graph import Node
from spikeport.convert.ops import BatchNorm, Neuron
from spikeport.convert.passes import PASSES, run_passes
from spikeport.estimate import Coverage, Tally


def spikes_and_output(graph: Graph, frames: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    spikes: dict[str, Tensor] = {}

    def keep(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            spikes[node.path] = value.clone()

    return spikes, Interpreter(graph, torch.float64).run(frames, keep)


def agree(net: RandomNet) -> Graph:
    x = net.sample()
    plain = trace(net, x, fold=False)  # model == graph, spike by spike
    frames = to_graph_layout(plain, net.sample(3)).double()
    folded = run_passes(plain, ["remove-dead", "cancel-views", "fold-batch-norm"], frames)
    folded.metadata["certificate"] = verify(net, folded, x).as_json()
    spikes, output = spikes_and_output(plain, frames)
    everything = run_passes(plain, sorted(PASSES), frames)
    with TemporaryDirectory() as folder:
        folded.save(Path(folder) / "g.spg")
        loaded = Graph.load(Path(folder) / "g.spg")
    for other in (folded, everything, loaded):
        other_spikes, other_output = spikes_and_output(other, frames)
        assert torch.allclose(other_output, output, rtol=0, atol=1e-9)
        for path, value in other_spikes.items():
            assert torch.equal(value, spikes[path]), path
    assert torch.equal(spikes_and_output(loaded, frames)[1], spikes_and_output(folded, frames)[1])
    functional.reset_net(net)
    with torch.no_grad():
        image = frames if net.layout != "batch" else frames.transpose(0, 1)
        expected = net.double()(image)
    assert torch.allclose(expected, output, rtol=0, atol=1e-9)
    return folded


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_nets())
def test_model_graph_folded_and_stored_agree(net: RandomNet) -> None:
    graph = agree(net)
    tally = Tally(graph)
    assert all(plan.status is not Coverage.UNCOUNTED for plan in tally.plans.values())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_nets())
def test_many_random_nets_agree(net: RandomNet) -> None:
    agree(net)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_alone(block: str) -> None:
    torch.manual_seed(2)
    kind = NEURONS[sorted(BLOCKS).index(block) % len(NEURONS)]
    net = RandomNet([(block, kind)], "time").eval()
    for module in net.modules():
        if hasattr(module, "running_var") and module.running_var is not None:
            module.running_var.uniform_(0.1, 0.5)
            module.bias.data.fill_(0.4)
    graph = agree(net)
    assert 0 < graph.metadata["certificate"]["fired"] < graph.metadata["certificate"]["spikes"]
    # Behind spikes or currents that an average or a sum made there may be no layer to fold into.
    assert not any(isinstance(node.op, BatchNorm) for node in graph)
