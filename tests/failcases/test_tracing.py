"""One test for each operation or neuron that tracing refuses, and what must be told then."""

import pytest
import torch
from refused_nets import Net, Written, X, refused
from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor, nn

from spikeport.convert import trace


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


def test_a_model_of_one_time_step_without_a_number_of_steps() -> None:
    error = refused(Net(neuron.LIFNode(step_mode="s")), "the sample has no time axis", X[0])
    assert error.where == "lif"
    assert "set_step_mode" in error.fix


def test_a_model_of_one_time_step_on_a_sample_of_two_readings() -> None:
    """A linear layer takes frames [B, 6] and images [B, 3, 6] alike."""
    error = refused(Net(neuron.LIFNode(step_mode="s")), "can be read as TBCHW or BTCHW or BCHW")
    assert "--layout" in error.fix


def test_neurons_of_both_modes() -> None:
    class Mixed(Net):
        def __init__(self) -> None:
            super().__init__()
            self.second = neuron.LIFNode(step_mode="s")

        def after(self, x: Tensor) -> Tensor:
            return self.second(x.mean(0))

    assert refused(Mixed(), "single-step mode, others in multi-step").where == "second"


def test_a_reset_value_per_channel() -> None:
    lif = neuron.LIFNode(step_mode="m")
    lif.v_reset = torch.rand(6)
    assert refused(Net(lif), "v_reset differs between channels").where == "lif"


def test_time_constants_that_are_none() -> None:
    lif = neuron.LIFNode(step_mode="m")
    lif.tau = torch.tensor([2.0, 0.0, 2.0, 2.0, 2.0, 2.0])
    assert refused(Net(lif), "a time constant is not positive").where == "lif"


def test_parameters_that_do_not_fit_the_features() -> None:
    lif = neuron.LIFNode(step_mode="m")
    lif.v_threshold = torch.rand(6, 1)
    refused(Net(lif), "do not broadcast")


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


class Clamped(neuron.LIFNode):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.clamp(max=10.0))


class Renamed(neuron.LIFNode):
    """A thin subclass."""


def test_a_subclass_with_other_dynamics() -> None:
    assert refused(Net(Clamped(step_mode="m")), "Clamped cannot be carried").where == "lif"
    assert refused(Net(neuron.ILIFNode(step_mode="m")), "ILIFNode").where == "lif"


def test_a_subclass_that_leaves_the_dynamics_alone_is_carried() -> None:
    assert trace(Net(Renamed(step_mode="m")), X).metadata["certificate"]["neurons"] == 1


def test_a_neuron_that_emits_no_spikes() -> None:
    smooth = surrogate.Sigmoid(spiking=False)
    refused(Net(neuron.LIFNode(step_mode="m", surrogate_function=smooth)), "spiking=False")


def test_a_neuron_with_hooks() -> None:
    net = Net()
    net.lif.register_forward_pre_hook(lambda _, args: (args[0].clamp(max=1.0),))
    refused(net, "hooks")


def test_a_neuron_that_does_not_start_at_rest() -> None:
    net = Net()
    net.lif.set_reset_value("v", 0.4)  # type: ignore[operator]
    refused(net, "starts at 0.4")


def test_randomness_on_parameters() -> None:
    def forward(s: Written, x: Tensor) -> Tensor:
        weight = nn.functional.dropout(s.fc.weight, 0.5, training=True)
        return s.lif(nn.functional.linear(x, weight)).mean(0)

    refused(Written(forward), "draws at random")


def test_adaptive_maximum_over_windows_of_several_sizes() -> None:
    net = nn.Sequential(neuron.IFNode(step_mode="m"), nn.Flatten(0, 1), nn.AdaptiveMaxPool2d(3))
    refused(net, "differ in size", torch.rand(4, 3, 2, 10, 10))


@pytest.mark.parametrize(
    ("forward", "match"),
    [
        (lambda s, x: s.lif(s.fc(x))[-1], "picks single time steps, as a loop over time does"),
        (
            lambda s, x: torch.stack([s.lif(s.fc(x)[t]) for t in range(4)]),
            "picks single time steps",
        ),
        (lambda s, x: s.lif(s.fc(x)) / x.shape[0], "divides by the number of time steps"),
        (lambda s, x: s.lif(s.fc(x))[:2].mean(0), "holds time or batch"),
        (lambda s, x: s.lif(s.fc(x))[:, 0].mean(0), "holds time or batch|batch"),
        (lambda s, x: torch.cat([s.lif(s.fc(x)), x], 0).mean(0), "holds time or batch"),
        (
            lambda s, x: torch.cat([s.lif(s.fc(x)), s.fc.bias.expand(4, 3, 6)], 2),
            "parameters|batch",
        ),
        (lambda s, x: nn.functional.pad(s.lif(s.fc(x)), (1, 1), value=2.0).mean(0), "other values"),
        (lambda s, x: nn.functional.pad(s.lif(s.fc(x)), (-1, 0)).mean(0), "negative padding"),
        (lambda s, x: nn.functional.pad(s.lif(s.fc(x)), (1, 1), "circular").mean(0), "circular"),
        (lambda s, x: s.lif(s.fc(x)).half().float().mean(0), "changes the type of numbers"),
        (lambda s, x: (s.lif(s.fc(x)) / (x + 1)).mean(0), "divides by a tensor"),
        (lambda s, x: torch.add(s.lif(s.fc(x)), x, alpha=2).mean(0), "alpha"),
        (lambda s, x: s.lif(s.fc(x)).repeat(1, 2, 1).mean(0), "repeats samples"),
        (lambda s, x: s.lif(s.fc(x) + torch.rand(6)).mean(0), "at random"),
    ],
)
def test_ways_to_cut_and_join_that_are_not_carried(forward, match: str) -> None:
    refused(Written(forward), match)
