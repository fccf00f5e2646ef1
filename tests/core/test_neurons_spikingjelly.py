"""SpikingJelly's tools go on working with the fused neurons."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from neuron_pairs import currents, make_pair
from spikingjelly.activation_based import base, functional, layer, monitor, neuron
from torch import nn

from spikeport.core import neurons

KINDS = ["LIFNode", "IFNode", "ParametricLIFNode"]


def network(lif: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(
        layer.Conv2d(2, 8, 3, padding=1),
        layer.BatchNorm2d(8),
        lif(v_threshold=0.2),
        layer.Conv2d(8, 4, 3, padding=1),
        lif(v_threshold=0.2),
    )
    functional.set_step_mode(net, "m")
    return net


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_nodes_of_spikingjelly(kind: str) -> None:
    reference, ours = make_pair(kind)
    assert isinstance(ours, type(reference)) and isinstance(ours, neuron.BaseNode)
    assert repr(ours) == repr(reference)
    assert list(ours.state_dict()) == list(reference.state_dict())


def test_a_network_learns_the_same() -> None:
    x = currents((4, 3, 2, 9, 9), torch.float64)
    found = []
    for lif in (neuron.LIFNode, neurons.LIFNode):
        net = network(lif).double()
        spikes = net(x)
        spikes.square().mean().backward()
        found.append([spikes, *(weight.grad for weight in net.parameters())])
    assert torch.equal(found[0][0], found[1][0]) and 0 < found[0][0].mean() < 1
    for expected, gradient in zip(*found, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)


def test_reset_net_and_step_modes() -> None:
    x = currents((4, 3, 2, 9, 9))
    net, reference = network(neurons.LIFNode).eval(), network(neuron.LIFNode).eval()
    with torch.no_grad():
        first = net(x)
        assert not torch.equal(net(x), first)
        functional.reset_net(net)
        assert all(memory == 0.0 for memory in base.memories(net))
        assert torch.equal(net(x), first) and torch.equal(reference(x), first)
        functional.reset_net(net)
        functional.set_step_mode(net, "s")
        assert all(module.step_mode == "s" for module in (net[2], net[4]))
        torch.testing.assert_close(torch.stack([net(step) for step in x]), first)


def test_detach_net_ends_the_graph() -> None:
    net = network(neurons.LIFNode)
    x = currents((4, 3, 2, 9, 9)).requires_grad_()
    net(x)
    assert all(memory.requires_grad for memory in base.memories(net))
    functional.detach_net(net)
    assert not any(memory.requires_grad for memory in base.memories(net))
    net(x).sum().backward()


def test_monitors_see_spikes_voltages_and_gradients() -> None:
    x = currents((4, 3, 2, 9, 9))
    found = []
    for lif in (neuron.LIFNode, neurons.LIFNode):
        net = network(lif)
        with (
            monitor.OutputMonitor(net, neuron.LIFNode) as spikes,
            monitor.AttributeMonitor("v", False, net, neuron.LIFNode) as voltages,
            monitor.GradInputMonitor(net, neuron.LIFNode) as gradients,
        ):
            net(x).sum().backward()
            found.append((list(spikes.records), list(voltages.records), list(gradients.records)))
    for expected, seen in zip(*found, strict=True):
        assert len(seen) == 2
        for one, other in zip(expected, seen, strict=True):
            torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-6)


def test_stored_voltages() -> None:
    x = currents((4, 3, 2, 9, 9))
    found = []
    for lif in (neuron.LIFNode, neurons.LIFNode):
        net = network(lif)
        net[4].store_v_seq = True
        net(x)
        found.append(net[4].v_seq)
    assert found[0].shape[0] == 4 and torch.equal(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_files(kind: str) -> None:
    _, ours = make_pair(kind)
    x = currents((4, 3, 50))
    with torch.no_grad():
        ours(x)
        buffer = io.BytesIO()
        torch.save(ours, buffer)
        buffer.seek(0)
        twins = [copy.deepcopy(ours), torch.load(buffer, weights_only=False)]
        expected = ours(x)
        assert all(torch.equal(twin(x), expected) for twin in twins)


def test_functional_forward_leaves_the_state_alone() -> None:
    x = currents((4, 3, 50))
    for kind in KINDS:
        reference, ours = make_pair(kind)
        (spikes,), (v,) = base.to_functional_forward(ours)((x,), (0.0,))
        assert ours.v == ours.get_reset_value("v")
        reference.v = 0.0
        assert torch.equal(spikes, reference(x)) and torch.equal(v, reference.v)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", ["zoo", "slow", "soft"])
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu_the_kernels_of_spikingjelly_run(kind: str, name: str) -> None:
    x = currents((4, 3, 5000)).cuda()
    weight = currents((4, 3, 5000), seed=1).cuda()
    found = []
    for node in make_pair(kind, name):
        node.cuda()
        leaf = x.clone().requires_grad_()
        spikes = node(leaf)
        found.append((spikes, node.v, *torch.autograd.grad(spikes, leaf, weight)))
    assert all(map(torch.equal, *found)) and found[0][0].is_cuda
    on_cpu = make_pair(kind, name)[1](x.cpu())
    # Kernels may contract; spikes of membranes that are not near the threshold are the same.
    assert (on_cpu == found[1][0].cpu()).float().mean() > 0.999
