"""One test for each thing that tracing refuses: where, why, and what to do must all be told."""

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport.convert import trace
from spikeport.core.errors import UnsupportedError


class Net(nn.Module):
    """`before` -> neuron `lif` -> `after`, on [T, B, 6]."""

    def __init__(self, lif: nn.Module | None = None) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.lif = lif or neuron.LIFNode(step_mode="m")

    def before(self, x: Tensor) -> Tensor:
        return self.fc(x)

    def after(self, x: Tensor) -> Tensor:
        return x.mean(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.lif(self.before(x)))


X = torch.rand(4, 3, 6)


def refused(net: nn.Module, match: str, x: Tensor = X) -> UnsupportedError:
    with pytest.raises(UnsupportedError, match=match) as caught:
        trace(net, x)
    assert caught.value.where
    assert caught.value.fix
    return caught.value


def test_an_operation_that_has_no_op() -> None:
    class Sine(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.sin().mean(0)

    refused(Sine(), "aten.sin.default cannot be carried")


def test_the_module_path_is_told() -> None:
    class Inner(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.cumsum(-1)

    net = nn.Sequential(neuron.IFNode(step_mode="m"), nn.Sequential(nn.Identity(), Inner()))
    assert refused(net, "cumsum").where == "1.1"


def test_a_neuron_class_without_op() -> None:
    assert refused(Net(neuron.IzhikevichNode(step_mode="m")), "IzhikevichNode").where == "lif"


def test_a_neuron_in_single_step_mode() -> None:
    refused(Net(neuron.LIFNode(step_mode="s")), "single-step mode")


def test_a_threshold_that_is_no_number() -> None:
    lif = neuron.LIFNode(step_mode="m")
    lif.v_threshold = nn.Parameter(torch.ones(6))
    refused(Net(lif), "v_threshold is a Parameter")


def test_a_neuron_called_twice() -> None:
    class Twice(Net):
        def after(self, x: Tensor) -> Tensor:
            return self.lif(x).mean(0)

    refused(Twice(), "called more than once")


def test_a_model_without_neurons() -> None:
    refused(nn.Sequential(nn.Linear(6, 2), nn.ReLU()), "no spiking neuron of SpikingJelly")


def test_neurons_that_never_run() -> None:
    class Idle(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(x)

    refused(Idle(), "no spiking neuron runs")


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


def test_a_sum_over_time() -> None:
    class Sum(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.sum(0)

    refused(Sum(), "a sum over time is not carried; use the mean")


def test_a_mean_over_the_batch() -> None:
    class Mean(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.mean(1)

    refused(Mean(), "time or batch")


def test_a_parameter_that_differs_between_steps() -> None:
    class Positions(Net):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.rand(4, 1, 6))

        def before(self, x: Tensor) -> Tensor:
            return self.fc(x) + self.position

    refused(Positions(), "differs between time steps")


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
    refused(Net(), "no batch axis", torch.rand(6))


def test_control_flow_on_values() -> None:
    class Branch(Net):
        def after(self, x: Tensor) -> Tensor:
            return x.mean(0) if x.sum() > 3 else x[0]

    refused(Branch(), "torch.export cannot follow the model")
