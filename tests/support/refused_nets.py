"""Networks that tracing refuses, and what must be told then."""

from collections.abc import Callable

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport.convert import trace
from spikeport.core.errors import SpikeportError


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


def refused(net: nn.Module, match: str, x: Tensor = X) -> SpikeportError:
    with pytest.raises(SpikeportError, match=match) as caught:
        trace(net, x)
    assert caught.value.where
    assert caught.value.fix
    return caught.value


class Written(Net):
    """A net whose forward is a function of (net, x)."""

    def __init__(self, forward: Callable[["Written", Tensor], Tensor]) -> None:
        super().__init__()
        self.written = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.written(self, x)
