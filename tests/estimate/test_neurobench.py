"""Whole networks against NeuroBench, layer by layer; `docs/counting.md` has the differences.

NeuroBench watches the PyTorch model through its own hooks, the tally watches the traced graph, both
in float64, in which its sums are exact.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics import static, workload
from neurobench.models import TorchModel
from peer_nets import lively, plain_net
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spikeport.convert import Interpreter, trace
from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear
from spikeport.estimate import EnergyReport, Term, estimate
from spikeport.estimate.export import export, neurobench_results
from spikeport.train.models import create_model

STATIC = [static.Footprint, static.ParameterCount, static.ConnectionSparsity]


class SynapticOperations(workload.SynapticOperations):
    """NeuroBench's metric, which forgets the layers, asked for one layer at a time."""

    by_layer: dict[nn.Module, workload.SynapticOperations]

    def __call__(self, model: Any, preds: Tensor, data: tuple[Tensor, Tensor]) -> Any:
        type(self).by_layer = {}
        for hook in model.connection_hooks:
            one = type(self).by_layer[hook.layer] = workload.SynapticOperations()
            one(SimpleNamespace(connection_hooks=[hook]), preds, data)
            self.AC += one.AC
            self.MAC += one.MAC
            self.total_synops += one.total_synops
        self.total_samples += data[0].size(0)
        return self.compute()


class ActivationSparsityByLayer(workload.ActivationSparsityByLayer):
    """The metric itself forgets to ask for the hooks that it reads."""

    _requires_hooks = True


class Spiking(TorchModel):
    """Batches `[B, T, ...]` or images `[B, ...]` -> class scores `[B, classes]`."""

    def __init__(self, net: nn.Module, axes: tuple[int, int] | None) -> None:
        super().__init__(net)
        self.axes = axes
        self.add_activation_module(neuron.BaseNode)

    def __call__(self, batch: Tensor) -> Tensor:
        functional.reset_net(self.net)
        scores: Tensor = self.net(batch if self.axes is None else batch.transpose(*self.axes))
        return scores if scores.ndim == 2 else scores.mean(0)


@dataclass(frozen=True)
class Compared:
    """One network, counted by both; NeuroBench's operations by module path."""

    report: EnergyReport
    theirs: dict[str, Any]
    by_path: dict[str, workload.SynapticOperations]

    @property
    def ours(self) -> dict[str, Any]:
        return neurobench_results(self.report)

    def layers(self) -> list[Node]:
        return [node for node in self.report.tally.graph if isinstance(node.op, Conv | Linear)]

    def domains(self, node: Node) -> set[str]:
        return {self.report.tally.graph[source].domain.value for source in node.inputs}

    def total(self, node: Node, term: Term) -> int:
        return self.report.tally.total(node.name, term)


def compared(model: nn.Module, frames: Tensor, labels: Tensor, **options: str) -> Compared:
    """`frames` as the graph's executor takes them."""
    graph = trace(model, frames, **options)  # type: ignore[arg-type]
    report = estimate(Interpreter(graph, torch.float64), [(frames, labels)])
    model.double()
    axes = (0, 1) if graph.input.per_step else None
    batch_first = frames if axes is None else frames.transpose(*axes)
    data = DataLoader(TensorDataset(batch_first.double(), labels), batch_size=len(labels))
    metrics = [SynapticOperations, workload.ActivationSparsity, ActivationSparsityByLayer]
    benchmark = Benchmark(
        Spiking(model, axes),
        data,
        [],
        [lambda scores: scores.argmax(1)],
        [STATIC, [*metrics, workload.ClassificationAccuracy]],
    )
    with torch.no_grad():
        theirs = benchmark.run(quiet=True)
    paths = {module: path for path, module in model.named_modules()}
    by_path = {paths[module]: found for module, found in SynapticOperations.by_layer.items()}
    return Compared(report, theirs, by_path)


@cache
def max_former() -> Compared:
    torch.manual_seed(0)
    model = lively(create_model("max_former_cifar"))
    return compared(model, torch.randn(1, 3, 32, 32), torch.tensor([3]))


@cache
def plain() -> Compared:
    """Some weights are zero, so that stored and effective operations differ."""
    torch.manual_seed(0)
    net = plain_net()
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight *= torch.rand_like(layer.weight) < 0.8
    spikes = (torch.rand(4, 3, 2, 16, 16) < 0.4).float()
    return compared(net, spikes, torch.arange(3), layout="TBCHW", input_domain="spike")


@pytest.mark.parametrize(("network", "layers"), [(plain, 4), (max_former, 25)])
def test_layers_on_spikes_are_equal_to_the_last_operation(network, layers: int) -> None:  # type: ignore[no-untyped-def]
    both = network()
    on_spikes = [node for node in both.layers() if both.domains(node) == {"spike"}]
    assert len(on_spikes) == layers
    for node in on_spikes:
        theirs = both.by_path[node.path]
        assert theirs.AC == both.total(node, Term.SOP_EFFECTIVE) > 0, node.path
        assert theirs.total_synops == both.total(node, Term.DENSE), node.path
        assert theirs.MAC == 0, node.path
    assert len(both.by_path) == len(both.layers())


def test_zero_weights_are_left_out_by_them_and_in_a_column_here() -> None:
    both = plain()
    for node in both.layers():
        assert both.total(node, Term.SOP) > both.by_path[node.path].AC, node.path


def test_the_dictionary_of_a_plain_net_is_theirs() -> None:
    both = plain()
    ours = dict(both.ours)
    own = ours.pop("spikeport")
    by_layer = ours.pop("ActivationSparsityByLayer"), both.theirs["ActivationSparsityByLayer"]
    # Float64 for their sake, float32 in the graph.
    assert ours.pop("Footprint") * 2 == both.theirs["Footprint"]
    assert ours.pop("SynapticOperations") == both.theirs["SynapticOperations"]
    assert ours == pytest.approx({name: both.theirs[name] for name in ours})
    assert 0 < ours["ConnectionSparsity"] < 1
    assert len(ours) == 4
    paths = {node.name: node.path for node in both.report.tally.graph}
    assert {paths[name]: share for name, share in by_layer[0].items()} == by_layer[1]
    assert own["differences"][:-1] == []


def test_the_dictionary_of_a_max_former_differs_as_it_says() -> None:
    both = max_former()
    ours, theirs = both.ours, both.theirs
    for name in ("ActivationSparsity", "ClassificationAccuracy"):
        assert ours[name] == pytest.approx(theirs[name]), name
    stem, head = (both.by_path[path] for path in ("patch_embed1.proj_conv", "head"))
    differing = [node for node in both.layers() if both.domains(node) != {"spike"}]
    assert [node.path for node in differing] == ["patch_embed1.proj_conv", "head"]
    operations, of_them = ours["SynapticOperations"], theirs["SynapticOperations"]
    assert operations["Dense"] == of_them["Dense"]
    # A head on the time mean of spikes: multiply-accumulates there, additions of the spikes here.
    sop = both.total(differing[1], Term.SOP_EFFECTIVE)
    assert head.MAC > 0 and head.AC == 0
    assert operations["Effective_ACs"] == of_them["Effective_ACs"] + sop
    assert operations["Effective_MACs"] == of_them["Effective_MACs"] - head.MAC
    # No value of the image is exactly 0, so that both count the whole stem.
    assert both.total(differing[0], Term.MAC) == stem.MAC
    told = " ".join(ours["spikeport"]["differences"])
    for path in ("patch_embed1.proj_conv: Effective_MACs", "head: additions"):
        assert path in told
    attention = sum(
        both.total(node, Term.SOP) for node in both.report.tally.graph if node.op.kind == "matmul"
    )
    assert attention > 0
    assert f"leaves out products of activations, {attention:g}" in told


def test_they_leave_out_zeros_of_an_image_and_we_do_not() -> None:
    """A count must not change its meaning with the data: an image is dense."""
    torch.manual_seed(0)
    images = torch.rand(3, 1, 2, 16, 16) + 0.1
    images[0, 0, 0, 8, 8] = 0
    both = compared(plain_net(), images, torch.tensor([0]), layout="TBCHW", input_domain="real")
    first, theirs = both.layers()[0], both.by_path["0"]
    assert both.total(first, Term.MAC) == theirs.total_synops
    # Its nine neighbours in eight maps.
    assert theirs.total_synops - 9 * 8 == theirs.MAC


def test_the_file_holds_the_dictionary(tmp_path: Path) -> None:
    both = plain()
    export(both.report, tmp_path)
    assert json.loads((tmp_path / "neurobench.json").read_text()) == both.ours
