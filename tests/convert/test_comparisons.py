"""Comparisons with constants are spikes; what would compute with bools is refused."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport import trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import SumPool, Threshold
from spikeport.core.errors import UnsupportedError
from spikeport.core.neurons import EulerNode


class Net(nn.Module):
    """A neuron, and what is done with the features `[T, B, C, H, W]` behind it."""

    def __init__(self, behind: object) -> None:
        super().__init__()
        self.neuron, self.behind = neuron.IFNode(step_mode="m"), behind
        self.register_buffer("levels", torch.tensor([0.5, 1.5]).reshape(2, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.behind(self, x + self.neuron(x))  # type: ignore[operator]
        return result


SAMPLE = torch.rand(3, 2, 2, 4, 4, generator=torch.Generator().manual_seed(0)) * 2


@pytest.mark.parametrize(
    ("behind", "value", "strict"),
    [
        (lambda m, x: (x > 0.5).to(x), [0.5], True),
        (lambda m, x: (x >= 1).to(x.dtype), [1.0], False),
        (lambda m, x: (x > m.levels).to(x), [0.5, 1.5], True),
        (lambda m, x: x * (x >= m.levels), [0.5, 1.5], False),
    ],
)
def test_they_are_thresholds(behind: object, value: list[float], strict: bool) -> None:
    graph = trace(Net(behind), SAMPLE, layout="TBCHW")  # proven against the model
    (node,) = (node for node in graph if isinstance(node.op, Threshold))
    assert node.domain is Domain.SPIKE and node.op.strict == strict
    assert node.op.value.flatten().tolist() == value


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        (lambda m, x: ((x > 0.5) + (x > 1.5)).to(x), "computes with bools"),
        (lambda m, x: (x > x.mean((3, 4), keepdim=True)).to(x), "with a constant"),
        (lambda m, x: (m.levels > x).to(x), "with a constant"),
        (
            lambda m, x: (x > torch.arange(3.0).reshape(3, 1, 1, 1, 1)).to(x),
            "differs between time steps",
        ),
    ],
)
def test_what_is_none_is_refused(behind: object, why: str) -> None:
    with pytest.raises(UnsupportedError, match=why):
        trace(Net(behind), SAMPLE, layout="TBCHW")


def test_averages_of_divisor_one_are_sums_and_of_another_are_refused() -> None:
    def pooled(divisor: int) -> Net:
        pool = nn.AvgPool2d(2, divisor_override=divisor)
        return Net(lambda m, x: pool(x.flatten(0, 1)).unflatten(0, x.shape[:2]))

    graph = trace(pooled(1), SAMPLE, layout="TBCHW")
    assert any(isinstance(node.op, SumPool) for node in graph)
    with pytest.raises(UnsupportedError, match="divisor_override above 1"):
        trace(pooled(2), SAMPLE, layout="TBCHW")


def test_membranes_that_were_changed_are_refused() -> None:
    one = torch.ones(1)
    net = EulerNode(2 * one, one, 0 * one, one, 0 * one, strict=True, step_mode="m")
    trace(nn.Sequential(net), SAMPLE, layout="TBCHW")
    net.register_forward_hook(lambda *_: None)
    with pytest.raises(UnsupportedError, match="hooks"):
        trace(nn.Sequential(net), SAMPLE, layout="TBCHW")
    soft = EulerNode(2 * one, one, 0 * one, one, 0 * one, strict=True, step_mode="m")
    soft.surrogate_function.set_spiking_mode(False)
    with pytest.raises(UnsupportedError, match="emits the surrogate itself"):
        trace(nn.Sequential(soft), SAMPLE, layout="TBCHW")
