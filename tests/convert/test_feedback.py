"""Time loops: the body traced once, the loop closed by a delay."""

from collections.abc import Callable

import pytest
import torch
from nets import lively
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from spikeport.convert import Graph, Interpreter, trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import (
    IF,
    Add,
    AddPerStep,
    BatchNorm,
    Delay,
    Input,
    MeanTime,
    Neuron,
    Op,
    Scale,
)
from spikeport.convert.passes import cancel_views, fold_batch_norm
from spikeport.convert.schedule import schedule
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.core.recurrence import TimeLoop
from spikeport.estimate import Coverage, Tally, Term


class Feedback(TimeLoop):
    """The spikes of the last step, through a convolution and a batch norm, join the current."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.lif = neuron.LIFNode(v_threshold=0.6)
        self.conv = layer.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = layer.BatchNorm2d(channels)

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.lif(current + feedback)
        return spikes, self.norm(self.conv(spikes))


class Encoder(nn.Module):
    """A static image, an embedding per step, feedback, and layers behind it."""

    def __init__(self, loop: TimeLoop | None = None, steps: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4))
        self.position = nn.Parameter(torch.randn(steps, 1, 4, 8, 8) * 0.3)
        self.loop = loop or Feedback()
        self.conv, self.lif = nn.Conv2d(4, 4, 3), neuron.LIFNode(step_mode="m", v_threshold=0.1)
        self.head, self.steps = nn.Linear(4, 5), steps

    def forward(self, x: Tensor) -> Tensor:
        current = self.stem(x).unsqueeze(0).repeat(self.steps, 1, 1, 1, 1) + self.position
        spikes = self.loop(current)
        behind = self.conv(spikes.flatten(0, 1)).unflatten(0, spikes.shape[:2])
        return self.head(self.lif(behind).mean((3, 4))).mean(0)


IMAGES = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2


def encoder(loop: TimeLoop | None = None) -> nn.Module:
    torch.manual_seed(0)
    return lively(Encoder(loop))


def test_feedback_becomes_a_delay_behind_the_batch_norm(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = encoder()
    unfolded = trace(model, IMAGES, fold=False)
    (delay,) = unfolded.delays
    assert isinstance(unfolded[str(delay.op.feedback)].op, BatchNorm)
    graph = trace(model, IMAGES)
    assert not any(isinstance(node.op, BatchNorm) for node in graph)
    (delay,) = graph.delays
    assert delay.op.feedback == "loop.conv"
    assert graph.metadata["certificate"]["neurons"] == 2
    assert graph.metadata["certificate"]["silent"] == []
    functional.reset_net(model)
    with torch.no_grad():
        expected = model.double()(IMAGES.double())
    result = Interpreter(graph, torch.float64).run(IMAGES)
    assert torch.allclose(result, expected, rtol=0, atol=1e-12)
    graph.save(tmp_path / "g.spg")
    again = Graph.load(tmp_path / "g.spg")
    assert torch.equal(Interpreter(again, torch.float64).run(IMAGES), result)


def test_the_feedback_matters_and_starts_at_the_second_step() -> None:
    graph = trace(encoder(), IMAGES)
    seen: dict[str, Tensor] = {}
    Interpreter(graph, torch.float64).run(
        IMAGES, lambda node, value: seen.__setitem__(node.name, value.clone())
    )
    (delay,) = graph.delays
    assert seen[delay.name][0].abs().sum() == 0
    assert torch.equal(seen[delay.name][1:], seen["loop.conv"][:-1])
    assert seen["loop.conv"].abs().max() > 0.3


def test_embeddings_per_step_keep_their_steps() -> None:
    graph = trace(encoder(), IMAGES)
    embedding = next(node for node in graph if isinstance(node.op, AddPerStep))
    assert embedding.op.steps == 4
    assert embedding.shape == (4, 8, 8)
    tally = Tally(graph)
    tally.run(Interpreter(graph), IMAGES)
    assert tally.total(embedding.name, Term.BIAS_ADD) == 3 * 4 * 4 * 8 * 8
    assert all(plan.status is not Coverage.UNCOUNTED for plan in tally.plans.values())
    assert tally.total("loop.conv", Term.SOP) > 0


def test_a_sequence_through_a_loop_takes_any_number_of_steps() -> None:
    torch.manual_seed(0)
    model = lively(nn.Sequential(Feedback(), layer.MaxPool2d(2, 2, step_mode="m")))
    x = torch.rand(3, 2, 4, 8, 8) * 2
    graph = trace(model, x)
    longer = torch.cat([x, x, x]).double()
    functional.reset_net(model)
    with torch.no_grad():
        expected = model.double()(longer)
    assert torch.equal(Interpreter(graph, torch.float64).run(longer), expected)
    assert 0.05 < expected.mean() < 0.95


class OnSpikes(Feedback):
    """The spikes themselves go back; the layer stands on the other side of the delay."""

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.lif(current + self.conv(feedback))
        return spikes, spikes


class Summed(Feedback):
    """What comes back is a count that grows."""

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.lif(current + self.conv(feedback) * 0.25)
        return spikes, feedback + spikes


@pytest.mark.parametrize(
    ("loop", "domain"),
    [(Feedback, Domain.REAL), (OnSpikes, Domain.SPIKE), (Summed, Domain.GRADED)],
)
def test_the_domain_of_a_feedback_edge_is_proven(
    loop: Callable[[], TimeLoop], domain: Domain
) -> None:
    torch.manual_seed(0)
    graph = trace(lively(Encoder(loop())), IMAGES)
    (delay,) = graph.delays
    assert delay.domain is domain
    assert graph.metadata["certificate"]["silent"] == []


def test_a_loop_that_reads_no_feedback_is_plain() -> None:
    class Deaf(Feedback):
        def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
            spikes = self.lif(current)
            return spikes, spikes

    graph = trace(encoder(Deaf()), IMAGES)
    assert graph.delays == ()


def test_a_mean_over_the_features_may_go_back() -> None:
    class Pooled(Feedback):
        def no_feedback(self, current: Tensor) -> Tensor:
            return current.new_zeros(len(current), 4, 1, 1)

        def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
            spikes = self.lif(current + feedback)
            return spikes, spikes.mean((2, 3), keepdim=True) * 3

    graph = trace(encoder(Pooled()), IMAGES)
    (delay,) = graph.delays
    assert (delay.shape, delay.domain) == ((4, 1, 1), Domain.SCALED)


def test_a_container_that_runs_its_layers_step_by_step() -> None:
    torch.manual_seed(0)
    container = layer.MultiStepContainer(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), neuron.IFNode(v_threshold=0.5)
    )
    model = lively(nn.Sequential(container, neuron.LIFNode(step_mode="m", v_threshold=0.3)))
    graph = trace(model, torch.rand(4, 3, 2, 6, 6))
    assert [node.path for node in graph if isinstance(node.op, Neuron)] == ["0.2", "1"]
    assert graph.metadata["certificate"]["silent"] == []
    assert not graph.delays


# -- the interpreter and the graph by hand --------------------------------------------------------


def counter(*between: Op, source: str = "count") -> Graph:
    """count[t] = x[t] + count[t - 1]."""
    graph = Graph(outputs=("count",))
    graph.add("x", Input((2,), Domain.GRADED, True))
    graph.add("before", Delay(source, (2,), Domain.GRADED))
    graph.add("count", Add(), ["x", "before"])
    return graph


def test_a_running_sum() -> None:
    x = torch.arange(12.0).reshape(3, 2, 2)
    order: list[str] = []
    result = Interpreter(counter()).run(x, lambda node, _: order.append(node.name))
    assert torch.equal(result, x.cumsum(0))
    assert sorted(order) == ["before", "count", "x"]
    assert [len(group) for group in schedule(counter())] == [1, 2]


def test_a_delay_without_loop_is_computed_over_all_steps_at_once() -> None:
    graph = Graph(outputs=("difference",))
    graph.add("x", Input((2,), Domain.REAL, True))
    graph.add("before", Delay("x", (2,), Domain.REAL))
    graph.add("minus", Scale(-1.0), ["before"])
    graph.add("difference", Add(), ["x", "minus"])
    x = torch.rand(4, 3, 2)
    result = Interpreter(graph).run(x)
    assert torch.equal(result[0], x[0])
    assert torch.equal(result[1:], x[1:] - x[:-1])
    assert all(len(group) == 1 for group in schedule(graph))


def test_neurons_and_embeddings_in_a_loop() -> None:
    graph = Graph(outputs=("spikes",))
    graph.add("x", Input((1,), Domain.REAL, True))
    graph.add("before", Delay("spikes", (1,), Domain.SPIKE))
    graph.add("sum", Add(), ["x", "before"])
    graph.add("embedded", AddPerStep(torch.tensor([[0.5], [0.0], [0.0], [0.5]])), ["sum"])
    graph.add("spikes", IF(1.0, None), ["embedded"])
    x = torch.tensor([0.5, 0.0, 0.5, 0.0]).reshape(4, 1, 1)
    # h = 1 (fires), 0 + 1 (fires), 0 + 0.5 + 1 = 1.5 (fires), 0.5 + 1 + 0.5 = 2 (fires)
    assert Interpreter(graph).run(x).flatten().tolist() == [1, 1, 1, 1]
    with pytest.raises(UsageError, match="its constants are for 4"):
        Interpreter(graph).run(torch.cat([x, x]))


def test_a_static_value_may_enter_a_loop() -> None:
    graph = Graph(outputs=("count",))
    graph.add("x", Input((2,), Domain.GRADED, True))
    graph.add("once", MeanTime(), ["x"])
    graph.add("before", Delay("count", (2,), Domain.REAL))
    graph.add("sum", Add(), ["x", "before"])
    graph.add("count", Add(), ["sum", "once"])
    x = torch.rand(3, 2, 2)
    expected = (x + x.mean(0)).cumsum(0)
    assert torch.allclose(Interpreter(graph).run(x), expected)


@pytest.mark.parametrize(
    ("delay", "why"),
    [
        (Delay("gone", (2,), Domain.REAL), "'gone', which is not in the graph"),
        (Delay("x", (3,), Domain.REAL), r"declares \[3\], its source is \[2\]"),
        (Delay("x", (2,), Domain.SPIKE), "declares spike, its source carries real"),
        (Delay("once", (2,), Domain.REAL), "once per sample"),
    ],
)
def test_a_delay_that_shows_something_else_is_refused(delay: Delay, why: str) -> None:
    graph = Graph(outputs=("sum",))
    graph.add("x", Input((2,), Domain.REAL, True))
    graph.add("once", MeanTime(), ["x"])
    graph.add("before", delay)
    graph.add("sum", Scale(2.0), ["before"])
    with pytest.raises(UnsupportedError, match=why):
        Interpreter(graph)


def test_a_loop_that_needs_all_steps_at_once_is_refused() -> None:
    graph = Graph(outputs=("sum",))
    graph.add("x", Input((2,), Domain.REAL, True))
    graph.add("before", Delay("sum", (2,), Domain.REAL))
    graph.add("both", Add(), ["x", "before"])
    graph.add("once", MeanTime(), ["both"])
    graph.add("sum", Add(), ["x", "once"])
    with pytest.raises(UnsupportedError, match="mean_time stands in a feedback loop"):
        Interpreter(graph)


def test_passes_follow_the_source_of_a_delay() -> None:
    graph = Graph(outputs=("y",))
    graph.add("x", Input((4, 3), Domain.REAL, True))
    graph.add("before", Delay("back", (4, 3), Domain.REAL))
    graph.add("sum", Add(), ["x", "before"])
    from spikeport.convert.ops import Conv, Permute

    graph.add("conv", Conv(torch.rand(4, 4, 1), None, (1,), (0,), (1,)), ["sum"])
    norm = BatchNorm(torch.zeros(4), torch.ones(4), torch.full((4,), 0.1), torch.rand(4), 1e-5)
    graph.add("norm", norm, ["conv"])
    graph.add("there", Permute((1, 0)), ["norm"])
    graph.add("back", Permute((1, 0)), ["there"])
    graph.add("y", Scale(2.0), ["sum"])
    after = fold_batch_norm(cancel_views(graph))
    assert [node.name for node in after] == ["x", "before", "sum", "conv", "y"]
    assert after["before"].op.feedback == "conv"
    x = torch.rand(5, 2, 4, 3).double()
    a, b = (Interpreter(g, torch.float64).run(x) for g in (graph, after))
    assert torch.allclose(a, b, rtol=0, atol=1e-12)


def test_a_convolution_that_a_delay_reads_keeps_its_output() -> None:
    """Folding the batch norm into it would change what goes back."""
    graph = Graph(outputs=("norm",))
    from spikeport.convert.ops import Conv

    graph.add("x", Input((4, 3), Domain.REAL, True))
    graph.add("before", Delay("conv", (4, 3), Domain.REAL))
    graph.add("sum", Add(), ["x", "before"])
    graph.add("conv", Conv(torch.rand(4, 4, 1), None, (1,), (0,), (1,)), ["sum"])
    norm = BatchNorm(torch.zeros(4), torch.ones(4), torch.full((4,), 0.1), torch.rand(4), 1e-5)
    graph.add("norm", norm, ["conv"])
    assert "norm" in fold_batch_norm(graph)


# -- what is refused ------------------------------------------------------------------------------


def refused(model: nn.Module, match: str, x: Tensor = IMAGES) -> UnsupportedError:
    with pytest.raises(UnsupportedError, match=match) as caught:
        trace(model, x)
    assert caught.value.where and caught.value.fix
    return caught.value


def test_a_loop_with_a_forward_of_its_own() -> None:
    class Own(Feedback):
        def forward(self, currents: Tensor) -> Tensor:
            return super().forward(currents * 2)

    assert refused(encoder(Own()), "has a forward of its own").where == "loop"


def test_a_loop_inside_a_loop() -> None:
    class Outer(Feedback):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Feedback()

    assert refused(encoder(Outer()), "inside another one").where == "loop.inner"


def test_a_loop_called_twice() -> None:
    class Twice(Encoder):
        def forward(self, x: Tensor) -> Tensor:
            current = self.stem(x).unsqueeze(0).repeat(self.steps, 1, 1, 1, 1)
            return self.loop(self.loop(current)).mean(0)

    refused(lively(Twice()), "called more than once")


def test_a_loop_that_starts_with_something() -> None:
    """Only zeros are nothing; the parity run sees anything else."""

    class Started(Feedback):
        def no_feedback(self, current: Tensor) -> Tensor:
            return torch.full_like(current, 0.5)

    with pytest.raises(Exception, match="spikes differ from the model"):
        trace(encoder(Started()), IMAGES)


def test_time_and_batch_swapped_in_front_of_a_loop() -> None:
    class Swapped(Encoder):
        def forward(self, x: Tensor) -> Tensor:
            current = self.stem(x).unsqueeze(1).repeat(1, self.steps, 1, 1, 1)
            return self.loop(current).mean(0)

    refused(lively(Swapped()), r"a time loop takes \[T, B, ...\]")


def test_neurons_of_a_loop_are_compared() -> None:
    graph = trace(encoder(), IMAGES)
    assert {node.path for node in graph if isinstance(node.op, Neuron)} == {"loop.lif", "lif"}
