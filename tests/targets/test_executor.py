"""The integer executor: what it accepts, and that batches do not matter."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from spikeport.convert import Interpreter
from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava import IntegerExecutor, LoweringOptions, executor, lower
from spikeport.targets.lava.host import lava_part


def values(ran, frames):
    """What a tap sees of each node."""
    seen = {}
    ran.run(frames, lambda node, value: seen.update({node.name: value.double()}))
    return seen


@pytest.mark.parametrize("name", ["small_chain", "max_former"])
def test_every_node_equals_float64(name, request):
    case = request.getfixturevalue(name)
    got = values(case.artefact.executor(), case.frames)
    wanted = values(Interpreter(lava_part(case.artefact.graph), torch.float64), case.frames)
    assert all(torch.equal(got[node], value) for node, value in wanted.items())
    assert got.keys() == {node.name for node in case.artefact.graph}
    assert values(case.artefact.executor(check_values=True), case.frames).keys() == got.keys()


def test_watching_changes_nothing(max_former):
    ran = max_former.artefact.executor()
    watched = ran.run(max_former.frames, lambda node, value: None)
    assert torch.equal(ran.run(max_former.frames), watched)


def test_kernels_are_told(max_former):
    rows = {row.node: row for row in max_former.artefact.executor().kernels}
    assert set(rows) == {node.name for node in lava_part(max_former.artefact.graph)} - {"input"}
    assert rows["fc"].kernel == "int8 convolution" and "2^24" in rows["fc"].why
    assert rows["fc_lif"].kernel == "C, fused over time"
    checked = max_former.artefact.executor(check_values=True).kernels
    assert {row.kernel for row in checked} == {"float64"} and "checked" in checked[0].why


def test_large_batches_equal_small_ones(small_chain, monkeypatch):
    ran = small_chain.artefact.executor()
    frames = small_chain.frames.repeat(1, 16, 1, 1, 1)
    whole = ran.run(frames)
    # Room for three samples: eleven runs, the last of two.
    monkeypatch.setattr(executor, "CHUNK_BYTES", 3 * frames[:, :1].numel() // 2 * 3 * 4)
    sizes = []
    run = IntegerExecutor._run
    monkeypatch.setattr(
        IntegerExecutor,
        "_run",
        lambda self, x, tap: (sizes.append(x.shape[1]), run(self, x, tap))[1],
    )
    assert torch.equal(ran.run(frames), whole) and sizes == [3] * 10 + [2]
    assert torch.equal(whole[:, :2], ran.run(small_chain.frames))


def test_large_batches_of_scores(max_former, monkeypatch):
    ran = max_former.artefact.executor()
    whole = ran.run(max_former.frames)
    monkeypatch.setattr(executor, "CHUNK_BYTES", 1)
    scores = ran.run(max_former.frames)
    assert scores.shape == (3, 5)
    # The classifier is float: its sums may be taken in another order.
    assert torch.allclose(scores, whole, atol=1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same(max_former):
    there = IntegerExecutor(max_former.artefact.graph, device="cuda")
    got, here = (
        values(there, max_former.frames),
        values(max_former.artefact.executor(), max_former.frames),
    )
    lava = {node.name for node in lava_part(max_former.artefact.graph)}
    assert all(torch.equal(got[name].cpu(), here[name]) for name in lava)


def test_executors_are_copied_and_pickled(small_chain):
    ran = small_chain.artefact.executor()
    assert ran is small_chain.artefact.executor()
    want = ran.run(small_chain.frames)
    for again in (copy.deepcopy(ran), pickle.loads(pickle.dumps(ran))):
        assert torch.equal(again.run(small_chain.frames), want)


def test_no_samples_give_no_output(max_former):
    assert max_former.artefact.executor().run(max_former.frames[:, :0]).shape == (0, 5)


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
        (lambda f: f[:0], "0 time steps"),
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
