"""Tracing: what comes out means what went in, for networks as users write them."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import event_input, results, weights
from nets import NETS, lively
from spikingjelly.activation_based import functional, layer, neuron
from timm.layers import DropPath
from torch import nn

from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import BatchNorm, Conv, MatMul, Neuron, RepeatTime, Reshape
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.models import create_model


def sample_of(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(5)) * 3


@pytest.mark.parametrize("name", NETS)
def test_every_spike_is_the_models(name: str) -> None:
    factory, shape = NETS[name]
    torch.manual_seed(0)
    model = lively(factory())
    graph = trace(model, sample_of(shape))
    certificate = graph.metadata["certificate"]
    neurons = [node for node in graph if isinstance(node.op, Neuron)]
    assert certificate["neurons"] == len(neurons) > 0
    assert certificate["silent"] == []
    assert 0.01 < certificate["fired"] / certificate["spikes"] < 0.99
    assert not any(isinstance(node.op, BatchNorm) for node in graph)


@pytest.mark.parametrize("name", NETS)
def test_the_graph_takes_other_batch_sizes_and_step_counts(name: str) -> None:
    factory, shape = NETS[name]
    torch.manual_seed(0)
    model = lively(factory()).double()
    graph = trace(model, sample_of(shape))
    image = graph.metadata["time_axis"] is None
    other = (7, *shape[1:]) if image else (5, 2, *shape[2:])
    x = sample_of(other).double()
    functional.reset_net(model)
    with torch.no_grad():
        expected = model(x)
    functional.reset_net(model)
    result = Interpreter(graph, torch.float64).run(to_graph_layout(graph, x))
    assert torch.allclose(result, expected, rtol=0, atol=1e-12)


def test_which_axis_is_time_follows_from_the_neurons() -> None:
    axes = {
        name: trace(lively(factory()), sample_of(shape)).metadata["time_axis"]
        for name, (factory, shape) in NETS.items()
    }
    assert axes == {
        "sequential": 0,
        "image-repeat": None,
        "image-expand": None,
        "batch-first": 1,
        "vectors": 0,
    }


def test_equal_sizes_of_time_batch_and_channels_confuse_nothing() -> None:
    torch.manual_seed(0)
    model = lively(NETS["batch-first"][0]())
    graph = trace(model, sample_of((2, 2, 2, 2, 2)))
    assert graph.metadata["time_axis"] == 1
    assert graph.input.shape == (2, 2, 2)


def test_the_model_is_not_changed() -> None:
    torch.manual_seed(0)
    model = NETS["sequential"][0]().train()
    x = sample_of((4, 3, 2, 16, 16))
    model(x)  # leaves state with an autograd graph, which deepcopy alone refuses
    before = copy.deepcopy(model.state_dict())
    membranes = [m.v for m in model.modules() if isinstance(m, neuron.BaseNode)]
    trace(model, x)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    after = [m.v for m in model.modules() if isinstance(m, neuron.BaseNode)]
    assert all(a is b for a, b in zip(membranes, after, strict=True))
    assert not any(m._forward_hooks for m in model.modules())


def test_a_static_stem_runs_once() -> None:
    """What comes before the repeat has no time axis."""
    graph = trace(lively(NETS["image-repeat"][0]()), sample_of((2, 3, 8, 8)))
    stem = next(node for node in graph if isinstance(node.op, Conv))
    repeat = next(node for node in graph if isinstance(node.op, RepeatTime))
    assert not stem.per_step
    assert repeat.per_step
    assert repeat.op.steps == 4
    assert not any(isinstance(node.op, Reshape) for node in graph)


def test_max_former_domains() -> None:
    graph = trace(
        lively(create_model("max_former_digits")),
        sample_of((2, 4, 2, 32, 32)).round(),
        input_domain="graded",
    )
    assert graph.input.domain is Domain.GRADED
    products = [node for node in graph if isinstance(node.op, MatMul)]
    assert [node.domain for node in products] == [Domain.GRADED, Domain.GRADED]
    assert graph["head"].domain is Domain.REAL
    assert graph[graph["head"].inputs[0]].domain is Domain.SCALED
    readers = {reader.name for reader in graph.consumers("patch_embed1.max_embed2.embed_lif")}
    assert readers == {
        "patch_embed1.max_embed2.embed_conv",
        "patch_embed1.embed1.embed_conv",
    }


def test_a_stored_graph_gives_the_same_bits(tmp_path: Path) -> None:
    model = lively(create_model("max_former_digits"))
    x = sample_of((2, 4, 2, 32, 32)).round()
    graph = trace(model, x, input_domain="graded")
    graph.save(tmp_path / "m.spg")
    again = Graph.load(tmp_path / "m.spg")
    assert [node.name for node in again] == [node.name for node in graph]
    assert again.metadata == graph.metadata
    frames = to_graph_layout(graph, x)
    assert torch.equal(
        Interpreter(again, torch.float64).run(frames), Interpreter(graph, torch.float64).run(frames)
    )


class TwoBranches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = neuron.IFNode(step_mode="m"), neuron.QIFNode(step_mode="m")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(x)


def test_a_neuron_that_never_runs_may_be_of_any_kind() -> None:
    graph = trace(TwoBranches(), sample_of((4, 2, 6)))
    assert [node.path for node in graph if isinstance(node.op, Neuron)] == ["used"]


def test_the_published_event_max_former_through_the_graph() -> None:
    """At full size, float64: every spike of the reference, through tracing and folding."""
    case = "event_max_former_t4_c10"
    model, x, expected = create_model("max_former_event"), event_input(case), results(case)
    model.load_state_dict(weights(case))
    graph = trace(model, x, input_domain="spike")
    counts: dict[str, int] = {}

    def count(node: object, value: torch.Tensor) -> None:
        if isinstance(node.op, Neuron):  # type: ignore[attr-defined]
            counts[node.path] = int(value.sum())  # type: ignore[attr-defined]

    logits = Interpreter(graph, torch.float64).run(to_graph_layout(graph, x), count)
    names = [str(name) for name in expected["lif_names"]]
    assert counts == dict(zip(names, expected["lif_spike_count"].tolist(), strict=True))
    assert np.abs(logits.numpy() - expected["logits"]).max() < 1e-10


def test_exact_ties_survive_division_and_constants() -> None:
    """x / 49 is not x * (1 / 49), and 0.7 has double precision: at a threshold both show."""

    class Ties(nn.Module):
        def __init__(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
            super().__init__()
            self.change, self.neuron = change, neuron.IFNode(step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.neuron(self.change(x)).mean(0)

    whole = trace(Ties(lambda x: x.sum(-1, keepdim=True) / 49), torch.ones(3, 2, 49))
    assert float(Interpreter(whole, torch.float64).run(torch.ones(3, 2, 49)).min()) == 1.0
    shifted = trace(Ties(lambda x: x + 0.7), torch.full((3, 2, 4), 0.3, dtype=torch.float64))
    frames = torch.full((1, 2, 4), 0.3, dtype=torch.float64)
    assert float(Interpreter(shifted, torch.float64).run(frames).min()) == 1.0


@pytest.mark.parametrize(
    "readout",
    [
        lambda x: x.sum(0) / x.shape[0],
        lambda x: x.mean(0, keepdim=True).squeeze(0),
        lambda x: x.mean((0, 2), keepdim=True)[0],
        lambda x: x.sum((0, 2)) / x.shape[0],
        lambda x: x.sum(0),
    ],
)
def test_ways_to_read_out_over_time(readout: Callable[[torch.Tensor], torch.Tensor]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(6, 6), neuron.LIFNode(step_mode="m", v_threshold=0.2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return readout(self.lif(self.fc(x)))

    torch.manual_seed(0)
    graph = trace(Net(), torch.rand(4, 3, 6) * 3)
    assert graph.metadata["fixed_steps"] is None
    assert not graph[graph.outputs[0]].per_step


def test_a_batch_of_one_is_enough() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(6, 6), neuron.IFNode(step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.lif(self.fc(x.flatten(0, 1)).view(*x.shape[:2], 6)).mean(0)

    assert trace(Flat(), torch.rand(4, 1, 6)).metadata["time_axis"] == 0


def test_an_embedding_per_step_fixes_the_number_of_steps() -> None:
    class Embedded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.randn(4, 1, 6) * 2)
            self.lif = neuron.LIFNode(step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.lif(x + self.position)

    torch.manual_seed(0)
    graph = trace(Embedded(), torch.rand(4, 3, 6))
    assert graph.metadata["fixed_steps"] == 4
    assert graph.metadata["certificate"]["fired"] > 0
    with pytest.raises(UsageError, match="5 time steps were given; it takes 4"):
        Interpreter(graph).run(torch.rand(5, 3, 6))


def test_an_unknown_pass_is_told_before_tracing() -> None:
    with pytest.raises(UnknownNameError, match="hoist-static"):
        trace(nn.Linear(2, 2), torch.rand(2, 2, 2), passes=["hoist_static"])


@pytest.mark.parametrize(
    "drop",
    [
        nn.Dropout(0.5),
        nn.AlphaDropout(0.5),
        nn.Dropout1d(0.5),
        nn.FeatureAlphaDropout(0.5),
        DropPath(0.5),
        layer.Dropout(0.5, step_mode="m"),
    ],
)
def test_what_drops_values_in_training_vanishes(drop: nn.Module) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 6), drop, neuron.LIFNode(step_mode="m", v_threshold=0.2))
    graph = trace(model.train(), torch.rand(4, 3, 6) * 3)
    assert [node.op.kind for node in graph] == ["input", "linear", "lif"]
    assert graph.metadata["certificate"]["fired"] > 0
    assert drop.training
