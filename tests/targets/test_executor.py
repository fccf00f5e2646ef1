"""The integer executor: what it accepts, and that batches do not matter."""

from __future__ import annotations

import pytest
import torch

from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava import IntegerExecutor, LoweringOptions, lower
from spikeport.targets.lava.executor import CHUNK


def test_large_batches_equal_small_ones(small_chain):
    executor = small_chain.artefact.executor()
    frames = small_chain.frames.repeat(1, CHUNK, 1, 1, 1)
    assert torch.equal(executor.run(frames)[:, :2], executor.run(small_chain.frames))
    assert torch.equal(executor.run(frames), executor.run(frames, lambda node, value: None))


def test_large_batches_of_scores(max_former):
    executor = max_former.artefact.executor()
    frames = max_former.frames.repeat(1, 50, 1, 1, 1)
    scores = executor.run(frames)
    assert scores.shape == (150, 5)
    # The classifier is float: its sums may be taken in another order.
    assert torch.allclose(scores[:3], executor.run(max_former.frames), atol=1e-12)


def test_integer_frames_are_taken(small_chain):
    executor = small_chain.artefact.executor()
    whole = small_chain.frames.to(torch.uint8)
    assert torch.equal(executor.run(whole), executor.run(small_chain.frames))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f + 0.5, "not a whole number"),
        (lambda f: f - 1, "not negative"),
        (lambda f: f * float("nan"), "not a whole number"),
        (lambda f: f * 100, "input_max="),
        (lambda f: f[..., :3], "takes frames"),
    ],
)
def test_other_frames_are_refused(small_chain, change, message):
    with pytest.raises(UsageError, match=message):
        small_chain.artefact.executor().run(change(small_chain.frames))


def test_float_graph_is_refused(small_chain):
    with pytest.raises(UsageError, match="has not been lowered"):
        IntegerExecutor(small_chain.graph)


def test_overflow_is_seen(small_chain):
    """With scales from calmer frames, loud ones overflow: the check tells, Lava would not."""
    calm = small_chain.frames.clamp(max=1)
    options = LoweringOptions(
        weight_bits=16, headroom="observed", margin=1.0, input_max=1000, extra_bits=8
    )
    artefact = lower(small_chain.graph, calm, options=options)
    artefact.executor(check_values=True).run(calm)
    loud = calm * 1000
    with pytest.raises(CheckFailed, match=r"first_lif.*wraps around"):
        artefact.executor(check_values=True).run(loud)


def test_overflow_is_the_same_in_lava(small_chain):
    from spikeport.targets.lava import run_in_process
    from spikeport.targets.lowered import run_executor
    from spikeport.targets.parity import compare

    calm = small_chain.frames.clamp(max=1)
    options = LoweringOptions(
        weight_bits=16, headroom="observed", margin=1.0, input_max=50, extra_bits=8
    )
    graph = lower(small_chain.graph, calm, options=options).graph
    loud = calm * 50
    with pytest.raises(CheckFailed, match="wraps around"):
        IntegerExecutor(graph, check_values=True).run(loud)
    assert compare(
        run_executor(IntegerExecutor(graph), loud, "integer"), run_in_process(graph, loud)
    ).equal


def test_lava_is_an_executor(small_chain):
    from spikeport.targets.lava import LavaExecutor
    from spikeport.targets.lowered import run_executor
    from spikeport.targets.parity import compare

    graph, frames = small_chain.artefact.graph, small_chain.frames
    lava = run_executor(LavaExecutor(graph), frames, "Lava in-process")
    assert lava.backend == "Lava in-process"
    assert compare(run_executor(IntegerExecutor(graph), frames, "integer"), lava).equal
