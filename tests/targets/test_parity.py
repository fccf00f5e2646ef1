"""Integer executor, Lava's models in-process, Lava's runtime: the same spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava import (
    IntegerExecutor,
    Record,
    Schedule,
    compare,
    record,
    retime,
    run_in_process,
    run_on_lava,
    shim,
)


def integer(case):
    return record(IntegerExecutor(case.artefact.graph, check_values=True), case.frames)


def test_every_layer_fires(max_former):
    rates = {name: s.mean() for name, s in integer(max_former).spikes.items()}
    assert len(rates) == 10
    assert all(0.02 < rate < 0.8 for rate in rates.values()), rates


def test_in_process_equals_integer_executor(max_former):
    result = compare(
        integer(max_former), run_in_process(max_former.artefact.graph, max_former.frames)
    )
    result.require()
    result.prove()
    assert result.compared > 25_000
    assert result.output_difference == 0.0


@pytest.mark.parametrize("run", [run_in_process, run_on_lava])
def test_with_lavas_own_convolution(max_former, run):
    from lava.proc.conv.models import PyConvModelFixed

    frames = max_former.frames[:, :2]
    stock = run(max_former.artefact.graph, frames, conv_model=PyConvModelFixed)
    result = compare(record(IntegerExecutor(max_former.artefact.graph), frames), stock)
    result.prove()
    assert result.output_difference == 0.0


def test_runtime_equals_integer_executor(max_former):
    ran = run_on_lava(max_former.artefact.graph, max_former.frames[:, :2], deadline=240)
    expected = record(IntegerExecutor(max_former.artefact.graph), max_former.frames[:, :2])
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
    changed = {name: spikes.copy() for name, spikes in left.spikes.items()}
    at = (2, 1, 3, 4, 5)
    changed["stem_lif"][at] ^= 1
    result = compare(left, replace(left, spikes=changed))
    first = result.first_difference
    assert (first.layer, first.step, first.sample, first.index) == ("stem_lif", 2, 1, (3, 4, 5))
    assert {first.left, first.right} == {0, 1}
    assert result.different == 1


def test_silent_layers_are_flagged():
    silent = Record("a", {"lif": np.zeros((2, 1, 3), np.uint8)}, np.zeros((1, 1)))
    result = compare(silent, silent)
    assert result.equal
    assert result.silent == ("lif",)


def test_runs_of_different_graphs_are_refused():
    one = Record("a", {"x": np.zeros((1, 1, 1), np.uint8)}, np.zeros(1))
    other = Record("b", {"y": np.zeros((1, 1, 1), np.uint8)}, np.zeros(1))
    longer = Record("c", {"x": np.zeros((2, 1, 1), np.uint8)}, np.zeros(1))
    for pair in ((one, other), (one, longer), (Record("d", {}, np.zeros(1)),) * 2):
        with pytest.raises(UsageError):
            compare(*pair)
