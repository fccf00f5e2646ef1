"""Weights and biases chosen on calibration frames."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lava_nets import event_frames

from spikeport.convert.ops import Conv, Linear
from spikeport.core.errors import UsageError
from spikeport.targets.lava import lower, run_in_process
from spikeport.targets.lava.quantise.calibration import _peak
from spikeport.targets.lava.quantise.search.patches import patches
from spikeport.targets.lava.quantise.search.rounding import better, damped, nearest, together
from spikeport.targets.lowered import run_executor
from spikeport.targets.parity import compare


def covariance(inputs: int, seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(inputs, inputs, generator=random, dtype=torch.float64)
    rows = torch.randn(1, 200, inputs, generator=random, dtype=torch.float64) @ mixing
    return damped(rows.mT @ rows / rows.shape[1])


@pytest.mark.parametrize("seed", range(5))
def test_rounding_together_is_near_the_best_of_all(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    weights = 3 * torch.randn(1, 1, 4, generator=random, dtype=torch.float64)
    h = covariance(4, seed)
    every = torch.tensor(list(itertools.product(range(-7, 8), repeat=4)), dtype=torch.float64)
    off = every - weights[0]
    best = float(((off @ h[0]) * off).sum(1).min())
    plain, found = nearest(weights, h, 7), together(weights, h, 7)
    assert best <= float(found.error) <= float(plain.error) + 1e-12
    assert float(found.error) <= 1.5 * best + 1e-12


def test_correlated_inputs_gain_most_and_nothing_is_ever_lost() -> None:
    weights = torch.randn(2, 8, 12, generator=torch.Generator().manual_seed(0)).double() * 20
    h = torch.cat([covariance(12, 1), covariance(12, 2)])
    plain, found = nearest(weights, h, 127), together(weights, h, 127)
    assert bool((found.error <= plain.error).all())
    assert float(found.error.sum()) < 0.5 * float(plain.error.sum())
    assert torch.equal(found.whole, found.whole.round())
    assert torch.equal(better(plain, plain).whole, plain.whole)


def test_no_weight_exceeds_its_bits() -> None:
    weights = torch.full((1, 1, 3), 9.0, dtype=torch.float64)
    assert float(together(weights, covariance(3, 0), 7).whole.abs().max()) <= 7


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [(1, 1, 1, 1), (2, 0, 1, 2), (1, 2, 2, 4)]
)
def test_patches_are_what_a_convolution_reads(stride, padding, dilation, groups) -> None:
    x, w = torch.randn(3, 4, 7, 7), torch.randn(8, 4 // groups, 3, 3)
    op = Conv(w, None, (stride,) * 2, (padding,) * 2, (dilation,) * 2, groups)
    rows = patches(op, x)
    got = torch.einsum("gri,goi->rgo", rows, w.reshape(groups, -1, rows.shape[-1])).flatten(1)
    want = F.conv2d(x, w, None, stride, padding, dilation, groups)
    assert torch.allclose(got, want.permute(0, 2, 3, 1).flatten(0, 2), atol=1e-4)


def test_patches_of_one_axis_and_of_linear_layers() -> None:
    x, w = torch.randn(3, 4, 6), torch.randn(5, 4, 1)
    rows = patches(Conv(w, None, (1,), (0,), (1,)), x)
    assert torch.equal(rows[0], x.transpose(1, 2).reshape(-1, 4))
    assert torch.equal(patches(Linear(torch.randn(5, 6), None), x)[0], x.reshape(-1, 6))


@pytest.fixture(scope="module")
def many(max_former: Any) -> torch.Tensor:
    return event_frames(steps=4, samples=40, side=16, seed=5)


@pytest.mark.parametrize("bits", [4, 8])
def test_currents_come_closer_and_lava_still_agrees(
    max_former: Any, many: torch.Tensor, bits: int
) -> None:
    plain = lower(max_former.graph, many, weight_bits=bits, search="none")
    found = lower(max_former.graph, many, weight_bits=bits)
    assert found.report.options["search"] == "weights"
    before = {row.layer: row for row in found.report.figure("current error, nearest rounding")}
    after = {row.layer: row for row in found.report.figure("current error, search weights")}
    few = {row.layer for row in found.report.rows if row.figure.startswith("inputs seen")}
    assert before.keys() == after.keys()
    # The stem reads independent noise, where nothing can cancel; layers behind it gain.
    assert all(after[name].value <= before[name].value for name in before)
    assert sum(after[n].value < 0.95 * before[n].value for n in before) >= len(before) // 2
    assert before.keys() | few == {
        node.name for node in max_former.graph if isinstance(node.op, Conv)
    }
    # What the weights really are, is told against those that were handed in.
    errors = {row.layer: row.value for row in found.report.figure("weight error")}
    plain_errors = {row.layer: row.value for row in plain.report.figure("weight error")}
    assert all(errors[name] > 0.3 * plain_errors[name] for name in before)

    frames = max_former.frames
    result = compare(
        run_executor(found.executor(check_values=True), frames, "integer"),
        run_in_process(found.graph, frames),
    )
    result.require()
    again = lower(max_former.graph, many, weight_bits=bits)
    assert again.report.as_json() == found.report.as_json()


def test_bias_takes_the_mean_error_off(max_former: Any, many: torch.Tensor) -> None:
    found = lower(max_former.graph, many, weight_bits=4, search="bias")
    rows = list(found.report.figure("bias correction, largest"))
    assert rows and max(row.value for row in rows) > 0
    plain = lower(max_former.graph, many, weight_bits=4, search="none")
    for name in ("stem", "fc"):
        assert torch.equal(found.graph[name].op.weight, plain.graph[name].op.weight)


def test_too_few_inputs_leave_a_layer_as_it_is(max_former: Any) -> None:
    found = lower(max_former.graph, max_former.frames[:1, :1], input_max=15)
    told = {row.layer: row for row in found.report.rows if row.figure.startswith("inputs seen")}
    assert "proj" in told
    assert "more calibration frames" in told["proj"].advice
    plain = lower(max_former.graph, max_former.frames[:1, :1], input_max=15, search="none")
    assert torch.equal(found.graph["proj"].op.weight, plain.graph["proj"].op.weight)


def test_a_percentile_leaves_the_largest_sums_out(max_former: Any, many: torch.Tensor) -> None:
    values = torch.arange(1, 1001).float()
    assert _peak(values, 100.0) == 1000
    assert _peak(values, 99.0) == 990
    options = {"weight_bits": 16, "headroom": "observed", "search": "none", "extra_bits": 8}
    whole = lower(max_former.graph, many, **options)
    most = lower(max_former.graph, many, percentile=60.0, **options)
    k = [sum(each.graph.metadata["lava"]["streams"].values()) for each in (whole, most)]
    assert k[1] > k[0]


def test_options_out_of_range_are_refused(max_former: Any) -> None:
    with pytest.raises(UsageError, match="search"):
        lower(max_former.graph, max_former.frames, search="everything")
    with pytest.raises(UsageError, match="percentile"):
        lower(max_former.graph, max_former.frames, percentile=20)
