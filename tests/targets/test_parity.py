"""Integer executor, Lava's models in-process, Lava's runtime: the same spikes."""

from __future__ import annotations

import pytest
import torch

from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava import (
    IntegerExecutor,
    Schedule,
    retime,
    run_in_process,
    run_on_lava,
    shim,
)
from spikeport.targets.lowered import Run, run_executor
from spikeport.targets.parity import compare


def integer(case):
    return run_executor(
        IntegerExecutor(case.artefact.graph, check_values=True), case.frames, "integer"
    )


def test_every_layer_fires(max_former):
    rates = {name: s.double().mean() for name, s in integer(max_former).spikes.items()}
    assert len(rates) == 10
    assert all(0.02 < rate < 0.8 for rate in rates.values()), rates


def test_in_process_equals_integer_executor(max_former):
    result = compare(
        integer(max_former), run_in_process(max_former.artefact.graph, max_former.frames)
    )
    result.prove()
    assert result.compared > 25_000
    assert result.output_difference == 0.0


@pytest.mark.parametrize("run", [run_in_process, run_on_lava])
def test_with_lavas_own_convolution(max_former, run):
    shim.import_lava()
    from lava.proc.conv.models import PyConvModelFixed

    frames = max_former.frames[:, :2]
    stock = run(max_former.artefact.graph, frames, conv_model=PyConvModelFixed)
    result = compare(run_executor(max_former.artefact.executor(), frames, "integer"), stock)
    result.prove()
    assert result.output_difference == 0.0


def test_runtime_equals_integer_executor(max_former):
    graph, frames = max_former.artefact.graph, max_former.frames[:, :2]
    ran = run_on_lava(graph, frames, deadline=240)
    expected = run_executor(
        IntegerExecutor(max_former.artefact.graph), max_former.frames[:, :2], "integer"
    )
    result = compare(expected, ran)
    result.require()
    assert not result.silent
    assert result.output_difference == 0.0


def test_without_balancing_spikes_differ(max_former):
    graph = max_former.artefact.graph
    unbalanced = Schedule(retime(graph).latency, {})
    result = compare(
        integer(max_former), run_in_process(graph, max_former.frames, schedule=unbalanced)
    )
    assert not result.equal
    assert result.first_difference.layer == "fc_lif"
    with pytest.raises(CheckFailed, match=r"fc_lif.*spikes differ"):
        result.require()


def test_with_a_wrong_reset_spikes_differ(max_former):
    class LateReset(Schedule):
        def reset_offset(self, node, time_steps):
            return (super().reset_offset(node, time_steps) + 1) % time_steps

    graph = max_former.artefact.graph
    right = retime(graph)
    wrong = LateReset(right.latency, right.waits)
    result = compare(integer(max_former), run_in_process(graph, max_former.frames, schedule=wrong))
    assert not result.equal
    assert result.first_difference.layer == "stem_lif"


def test_without_resets_spikes_differ(max_former, monkeypatch):
    """What biases did while the pipeline filled, and the sample before, must not be left over."""
    shim.import_lava()
    from lava.proc.lif.process import LIF

    from spikeport.targets.lava import builders

    def without_reset(*, reset_interval, reset_offset, **options):
        return LIF(**options)

    monkeypatch.setattr(builders, "LIFReset", without_reset)
    graph = max_former.artefact.graph
    result = compare(integer(max_former), run_in_process(graph, max_former.frames))
    assert not result.equal
    # Already the first layer waits one step for its convolution, and adds up its bias meanwhile.
    first = result.first_difference
    assert (first.layer, first.step, first.sample) == ("stem_lif", 0, 0)
    wrong = {layer.layer: layer.different / layer.compared for layer in result.layers}
    assert all(share > 0 for share in wrong.values()), wrong
    with pytest.raises(CheckFailed, match="spikes differ"):
        result.require()


def test_first_difference_tells_where(max_former):
    left = integer(max_former)
    changed = {name: spikes.clone() for name, spikes in left.spikes.items()}
    at = (2, 1, 3, 4, 5)
    changed["stem_lif"][at] ^= True
    result = compare(left, left._replace(spikes=changed))
    first = result.first_difference
    assert (first.layer, first.step, first.sample, first.index) == ("stem_lif", 2, 1, (3, 4, 5))
    assert {first.left, first.right} == {0, 1}
    assert result.different == 1


def test_silent_layers_are_flagged():
    silent = Run(torch.zeros((1, 1)), {"lif": torch.zeros((2, 1, 3), dtype=torch.bool)}, "a")
    result = compare(silent, silent)
    assert result.equal
    assert result.silent == ("lif",)


def test_runs_of_different_graphs_are_refused():
    one = Run(torch.zeros(1), {"x": torch.zeros((1, 1, 1), dtype=torch.bool)}, "a")
    other = Run(torch.zeros(1), {"y": torch.zeros((1, 1, 1), dtype=torch.bool)}, "b")
    longer = Run(torch.zeros(1), {"x": torch.zeros((2, 1, 1), dtype=torch.bool)}, "c")
    for pair in ((one, other), (one, longer), (Run(torch.zeros(1), {}, "d"),) * 2):
        with pytest.raises(UsageError):
            compare(*pair)
