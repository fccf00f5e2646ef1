"""The loop over time that modules with feedback share."""

import pytest
import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from spikeport.core.errors import UnsupportedError
from spikeport.core.recurrence import TimeLoop


class Feedback(TimeLoop):
    def __init__(self, features: int = 5) -> None:
        super().__init__()
        self.lif = neuron.LIFNode(v_threshold=0.4)
        self.fc, self.norm = nn.Linear(features, features, bias=False), nn.BatchNorm1d(features)

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.lif(current + feedback)
        return spikes, self.norm(self.fc(spikes))


def test_the_loop_is_the_equation_written_out() -> None:
    torch.manual_seed(0)
    net = Feedback().eval()
    net.norm.bias.data.fill_(0.7)
    x = torch.rand(4, 3, 5)
    # A multi-step setting of the whole model reaches the neuron, and must do no harm.
    functional.set_step_mode(net, "m")
    result = net(x)
    lif, expected, feedback = neuron.LIFNode(v_threshold=0.4, step_mode="s"), [], 0.0
    for current in x:
        expected.append(lif(current + feedback))
        feedback = net.norm(net.fc(expected[-1]))
    assert torch.equal(result, torch.stack(expected))
    assert 0 < result.mean() < 1


def test_nothing_is_added_at_the_first_step() -> None:
    net = Feedback().eval()
    net.norm.bias.data.fill_(50.0)
    spikes = net(torch.zeros(3, 2, 5))
    assert spikes[0].sum() == 0
    assert spikes[1].sum() == 10


def test_gradients_flow_through_the_feedback() -> None:
    net = Feedback()
    net(torch.rand(3, 4, 5)).sum().backward()
    assert net.fc.weight.grad is not None
    assert net.fc.weight.grad.abs().sum() > 0


def test_feedback_of_another_shape_is_refused() -> None:
    class Wider(Feedback):
        def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
            return current, current[:, :2]

    with pytest.raises(UnsupportedError, match=r"takes feedback \[2, 5\], but returns \[2, 2\]"):
        Wider()(torch.rand(3, 2, 5))


def test_feedback_may_have_a_shape_of_its_own() -> None:
    class Narrow(Feedback):
        def no_feedback(self, current: Tensor) -> Tensor:
            return current.new_zeros(len(current), 2)

        def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
            return torch.cat([current, feedback], 1), current[:, :2]

    x = torch.rand(3, 2, 5)
    result = Narrow()(x)
    assert torch.equal(result[1, :, 5:], x[0, :, :2])
    assert result[0, :, 5:].abs().sum() == 0


def test_a_loop_without_step_says_so() -> None:
    with pytest.raises(TypeError, match="TimeLoop defines no step"):
        TimeLoop()(torch.rand(2, 2, 2))
