"""Counts of what NIR brings: neurons of an equation, membranes, thresholds, sums over windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from spikeport.convert.domain import Domain
from spikeport.convert.ops import AvgPool, Conv, EulerNeuron, Integrator, SumPool, Threshold
from spikeport.estimate.tally import Tally
from spikeport.estimate.tally.terms import Term

ONE, ZERO = torch.ones(1), torch.zeros(1)
UPDATES = {  # tau, gain, leak: additions and multiplications per neuron and step
    "lossless": (None, ONE, ZERO, 1, 0),
    "with a gain": (None, 2 * ONE, ZERO, 1, 1),
    "leaky": (2 * ONE, ONE, ZERO, 2, 1),
    "leaky with a gain and a rest": (2 * ONE, 2 * ONE, ONE, 3, 2),
}


@pytest.mark.parametrize("case", UPDATES)
def test_updates_of_membranes(count_chain: Callable[..., Tally], case: str) -> None:
    tau, gain, leak, additions, multiplications = UPDATES[case]
    frames = torch.randn(3, 2, 5)
    neuron = EulerNeuron(tau, gain, leak, 0.3 * ONE, ZERO, True)
    for op in (neuron, Integrator(tau, gain, leak)):
        tally = count_chain(frames, Domain.REAL, op)
        assert tally.total("layer", Term.NEURON_ADD) == additions * frames.numel()
        assert tally.total("layer", Term.NEURON_MUL) == multiplications * frames.numel()
        fires = op is neuron
        assert tally.total("layer", Term.NEURON_COMPARE) == fires * frames.numel()
        assert (tally.total("layer", Term.SPIKES_OUT) > 0) == fires


def test_thresholds_compare_each_element(count_chain: Callable[..., Tally]) -> None:
    frames = torch.randn(3, 2, 5)
    tally = count_chain(frames, Domain.REAL, Threshold(ZERO, True))
    assert tally.total("layer", Term.NEURON_COMPARE) == frames.numel()
    assert tally.total("layer", Term.SPIKES_OUT) == int((frames > 0).sum())


def test_sums_over_windows(count_chain: Callable[..., Tally]) -> None:
    spikes = (torch.rand(3, 2, 2, 6, 6) < 0.3).float()
    pool = SumPool((3, 3), (2, 2), (1, 1))
    tally = count_chain(spikes, Domain.SPIKE, pool)
    sums = F.avg_pool2d(spikes.flatten(0, 1), 3, 2, 1, divisor_override=1)
    assert tally.total("layer", Term.POOL_ADD) == int(sums.sum())
    assert torch.equal(pool.apply(spikes.flatten(0, 1)), sums)
    real = count_chain(torch.randn(3, 2, 2, 6, 6), Domain.REAL, pool)
    mean = count_chain(
        torch.randn(3, 2, 2, 6, 6), Domain.REAL, AvgPool((3, 3), (2, 2), (1, 1), True)
    )
    assert real.total("layer", Term.POOL_ADD) == mean.total("layer", Term.POOL_ADD)
    assert real.total("layer", Term.MULTIPLY) == 0


def test_a_layer_behind_a_sum_reads_counts(count_chain: Callable[..., Tally]) -> None:
    spikes = (torch.rand(3, 2, 2, 4, 4) < 0.5).float()
    conv = Conv(torch.ones(3, 2, 1, 1), None, (1, 1), (0, 0), (1, 1))
    tally = count_chain(spikes, Domain.SPIKE, SumPool((2, 2), (2, 2), (0, 0)), conv)
    sums = F.avg_pool2d(spikes.flatten(0, 1), 2, 2, divisor_override=1)
    assert tally.total("layer", Term.SOP) == 3 * int(sums.count_nonzero())
    assert tally.total("layer", Term.SOP_UNITS) == 3 * int(sums.sum())
