"""Linear layers against loops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Linear
from spikeport.estimate import Tally, Term


@pytest.mark.parametrize("shape", [(6,), (3, 6), (2, 3, 6)])
def test_rows_meet_the_same_weights(
    count_chain: Callable[..., Tally], shape: tuple[int, ...]
) -> None:
    make = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 6, generator=make) * (torch.rand(4, 6, generator=make) < 0.6)
    x = (torch.rand((3, 2, *shape), generator=make) < 0.4).float()
    tally = count_chain(x, Domain.SPIKE, Linear(weight, None))
    sop = effective = 0
    for row in x.reshape(-1, 6):
        for i in range(6):
            for o in range(4):
                sop += bool(row[i])
                effective += bool(row[i]) and bool(weight[o, i])
    assert tally.total("layer", Term.SOP) == sop
    assert tally.total("layer", Term.SOP_EFFECTIVE) == effective
    assert tally.total("layer", Term.DENSE) == x.numel() * 4
    assert tally.total("layer", Term.DENSE_PADDED) == x.numel() * 4


def test_bias_is_a_column_of_its_own(count_chain: Callable[..., Tally]) -> None:
    x = torch.ones(3, 2, 5, 6)
    with_bias = count_chain(x, Domain.SPIKE, Linear(torch.ones(4, 6), torch.ones(4)))
    without = count_chain(x, Domain.SPIKE, Linear(torch.ones(4, 6), None))
    assert with_bias.total("layer", Term.BIAS_ADD) == 3 * 2 * 5 * 4
    assert with_bias.total("layer", Term.SOP) == without.total("layer", Term.SOP)
    assert without.total("layer", Term.BIAS_ADD) == 0


def test_real_input_per_sample(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(
        torch.rand(2, 6), Domain.REAL, Linear(torch.ones(4, 6), None), per_step=False
    )
    assert tally.total("layer", Term.MAC) == tally.total("layer", Term.MAC_HOISTED) == 2 * 24


def test_weights_in_bytes(count_chain: Callable[..., Tally]) -> None:
    op = Linear(torch.ones(4, 6), torch.ones(4))
    tally = count_chain(torch.ones(1, 1, 6), Domain.SPIKE, op)
    assert tally.plans["layer"].footprint.weights == 4 * (24 + 4)
    assert tally.plans["layer"].footprint.activations == 4 * 4
    assert tally.plans["x"].footprint.activations == 0
