"""One test for each way with time, batch, samples and outputs that tracing refuses."""

import math
from threading import Lock

import pytest
import torch
from refused_nets import Net, Written, X, refused
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport.convert import Interpreter, trace
from spikeport.core.errors import UnknownNameError, UsageError


def test_time_and_batch_merged_before_a_neuron() -> None:
    """The published QKFormer does this: the membrane leaks from sample to sample."""

    class Leaking(Net):
        def __init__(self) -> None:
            super().__init__()
            self.second = neuron.LIFNode(step_mode="m")

        def after(self, x: Tensor) -> Tensor:
            return self.second(x.flatten(0, 1)).unflatten(0, x.shape[:2]).mean(0)

    error = refused(Leaking(), "it holds time and batch, so the membrane would leak")
    assert error.where == "second"


def test_batch_in_place_of_time_at_a_second_neuron() -> None:
    class Swapped(Net):
        def __init__(self) -> None:
            super().__init__()
            self.second = neuron.LIFNode(step_mode="m")

        def after(self, x: Tensor) -> Tensor:
            return self.second(x.transpose(0, 1)).mean(1)

    assert refused(Swapped(), "holds batch").where == "second"


def test_a_view_that_tears_time_apart() -> None:
    class Torn(Net):
        def after(self, x: Tensor) -> Tensor:
            steps, batch, features = x.shape
            return x.reshape(batch, steps, features).mean(0)

    refused(Torn(), "tears an axis apart")


def test_batch_norm_in_batch_statistics() -> None:
    class Norm(Net):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(6, track_running_stats=False)

        def before(self, x: Tensor) -> Tensor:
            return self.norm(self.fc(x).flatten(0, 1)).unflatten(0, x.shape[:2])

    assert refused(Norm(), "statistics of the batch").where == "norm"


def test_randomness_in_eval_mode() -> None:
    class Noisy(Net):
        def after(self, x: Tensor) -> Tensor:
            return nn.functional.dropout(x, 0.5, training=True).mean(0)

    refused(Noisy(), "at random also in eval mode")


def test_a_mean_over_the_batch() -> None:
    class Mean(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.mean(1)

    refused(Mean(), "time or batch")


def test_a_parameter_that_differs_between_samples() -> None:
    class Positions(Net):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.rand(1, 3, 6))

        def before(self, x: Tensor) -> Tensor:
            return self.fc(x) + self.position

    refused(Positions(), "differs between samples|batches of 3 only")


def test_a_factor_that_differs_between_steps() -> None:
    class Weights(Net):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4, 1, 6))

        def before(self, x: Tensor) -> Tensor:
            return self.fc(x) * self.weight

    refused(Weights(), "multiplies with a parameter that differs between time steps")


def test_several_outputs() -> None:
    class Two(Net):
        def after(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            return x.mean(0), x

    refused(Two(), "the model returns 2 values")


def test_an_output_that_the_input_does_not_reach() -> None:
    class Deaf(Net):
        def after(self, x: Tensor) -> Tensor:
            return self.fc.weight + 0

    refused(Deaf(), "does not depend on its input")


def test_a_sample_of_the_wrong_size() -> None:
    refused(Net(), r"does not run on input \[4, 3, 7\]", torch.rand(4, 3, 7))


def test_a_sample_without_batch_axis() -> None:
    refused(Net(), r"has shape \[6\]", torch.rand(6))


def test_control_flow_on_values() -> None:
    class Branch(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.mean(0) if x.sum() > 3 else x[0]

    refused(Branch(), "torch.export cannot follow the model")


@pytest.mark.parametrize(
    "forward",
    [
        lambda s, x: s.lif(s.fc(x) * (2.0 if x.shape[0] > 2 else 1.0)).mean(0),
        lambda s, x: s.lif(s.fc(x) * (5.0 if x.shape[1] > 2 else 1.0)).mean(0),
        lambda s, x: s.lif(s.fc(x) * (5.0 if x.shape[0] % 2 == 0 else 1.0)).mean(0),
    ],
)
def test_a_case_distinction_on_the_number_of_steps_or_samples(forward) -> None:
    refused(Written(forward), "depends on the number of samples or time steps")


def test_swapping_axes_by_a_view_where_their_sizes_happen_to_agree() -> None:
    def forward(s: Written, x: Tensor) -> Tensor:
        return s.lif(s.fc(x).reshape(x.shape[1], x.shape[0], -1)).mean(0)

    refused(Written(forward), "time steps|tears an axis apart", torch.rand(3, 3, 6))


@pytest.mark.parametrize("number", [int, float, math.sqrt])
def test_a_graph_that_computes_with_the_number_of_steps_keeps_to_it(number) -> None:
    net = Written(lambda s, x: (s.lif(s.fc(x) * 4) * number(x.shape[0])).mean(0))
    graph = trace(net, X)
    assert graph.metadata["fixed_steps"] == 4
    with pytest.raises(UsageError, match="5 time steps were given; it takes 4"):
        Interpreter(graph).run(torch.rand(5, 3, 6))


def test_computing_with_the_number_of_samples() -> None:
    net = Written(lambda s, x: s.lif(s.fc(x) * int(x.shape[1])).mean(0))
    refused(net, "works for batches of 3 only")


@pytest.mark.parametrize(
    "forward",
    [
        lambda s, x: (y := s.fc(x), y.flatten(0, 1).clamp_(max=4.0), s.lif(y).mean(0))[-1],
        lambda s, x: (z := s.fc(s.lif(x)), z.view(-1).clamp_(-3, 3), z.mean(0))[-1],
        lambda s, x: (y := s.fc(x), v := y.view(-1, 6), y.mul_(2.0), s.lif(v.view(y.shape)))[-1],
    ],
)
def test_changes_in_place_that_are_read_elsewhere(forward) -> None:
    refused(Written(forward), "in place|clamp_")


def test_a_residual_added_in_place_is_carried() -> None:
    def forward(s: Written, x: Tensor) -> Tensor:
        y = s.fc(x)
        y += x
        return s.lif(y).mean(0)

    assert any(node.op.kind == "add" for node in trace(Written(forward), X * 3))


@pytest.mark.parametrize(
    "forward",
    [
        lambda s, x: s.lif(s.fc(x)).transpose(0, 1),
        lambda s, x: s.lif(s.fc(x)).flatten(0, 1),
    ],
)
def test_an_output_without_batch_in_front(forward) -> None:
    refused(Written(forward), "not batch, or time and batch, in front", torch.rand(3, 3, 6))


def test_a_mean_over_everything() -> None:
    refused(Written(lambda s, x: s.lif(s.fc(x)).mean(dim=None)), "over all axes|aten.mean")


def test_a_model_that_cannot_be_copied() -> None:
    net = Net()
    net.lock = Lock()  # type: ignore[assignment]
    refused(net, "cannot be copied")


def test_a_repeat_as_long_as_the_input() -> None:
    def forward(s: Written, x: Tensor) -> Tensor:
        return s.lif(s.fc(x).unsqueeze(0).repeat(x.shape[0], 1, 1)).mean(0)

    refused(Written(forward), "as often as the input is long|batches of", torch.rand(3, 6))


def test_one_output_in_a_tuple() -> None:
    refused(Written(lambda s, x: (s.lif(s.fc(x)).mean(0),)), "returns a tuple")


def test_a_sequence_of_vectors_without_batch() -> None:
    refused(nn.Sequential(neuron.IFNode(step_mode="m")), "no batch", torch.rand(4, 6))


@pytest.mark.parametrize("sample", [[1, 2], torch.rand(4, 0, 6), torch.full((4, 3, 6), math.nan)])
def test_a_sample_that_proves_nothing(sample) -> None:
    with pytest.raises(UsageError, match="sample"):
        trace(Net(), sample)


def test_a_sample_outside_its_declared_domain() -> None:
    with pytest.raises(UsageError, match="not of the declared domain spike"):
        trace(Net(), X * 2, input_domain="spike")
    with pytest.raises(UnknownNameError, match="spike"):
        trace(Net(), X, input_domain="spikes")
