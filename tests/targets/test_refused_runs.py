"""Runs and comparisons that are refused: where, why and what to do must all be told."""

from __future__ import annotations

import pytest
import torch
from lava_traces import watched

from spikeport.convert import trace
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, Conv, Input
from spikeport.core.errors import CheckFailed, MissingPackageError, SpikeportError, UsageError
from spikeport.targets.lava import (
    IntegerExecutor,
    LoweringOptions,
    Schedule,
    lower,
    retime,
    run_in_process,
    run_on_lava,
    shim,
)
from spikeport.targets.lowered import Run, run_executor
from spikeport.targets.parity import compare

RUNNERS = (run_in_process, run_on_lava)


def told(error: SpikeportError, *, where: str, why: str, fix: str) -> None:
    assert where in error.where, error
    assert why in error.why, error
    assert fix in error.fix, error


def wide(channels: int = 2, groups: int = 1, side: int = 4, domain: Domain = Domain.SPIKE) -> Graph:
    """One convolution and one neuron."""
    graph = Graph()
    graph.add("input", Input((channels, side, side), domain, per_step=True))
    weight = torch.ones(channels, channels // groups, 1, 1)
    graph.add("conv", Conv(weight, None, (1, 1), (0, 0), (1, 1), groups), ("input",))
    graph.add("if", IF(1.0, 0.0), ("conv",))
    graph.outputs = ("if",)
    return graph


@pytest.mark.parametrize("runner", RUNNERS)
def test_lava_is_not_installed(monkeypatch, small_chain, runner):
    def find(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(shim.importlib.util, "find_spec", find)
    with pytest.raises(MissingPackageError) as caught:
        runner(small_chain.artefact.graph, small_chain.frames)
    told(caught.value, where="lava", why="not installed", fix="uv sync")
    assert "pip refuses" in caught.value.fix


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("found", ["2.4.0", "2.10.1", "3.0.0rc1"])
def test_numpy_is_too_new(monkeypatch, small_chain, runner, found):
    monkeypatch.setattr(shim, "version", lambda name: found)
    with pytest.raises(MissingPackageError) as caught:
        runner(small_chain.artefact.graph, small_chain.frames)
    told(caught.value, where="numpy", why=f"numpy {found} is installed", fix="<2.4")


def test_numpy_of_today_is_taken(monkeypatch):
    monkeypatch.setattr(shim, "version", lambda name: "2.3.9")
    assert shim.lava_missing() == ""


@pytest.mark.parametrize("platform", ["darwin", "freebsd14"])
def test_the_runtime_needs_linux(monkeypatch, small_chain, platform):
    monkeypatch.setattr(shim.sys, "platform", platform)
    with pytest.raises(UsageError) as caught:
        run_on_lava(small_chain.artefact.graph, small_chain.frames)
    told(caught.value, where="Lava runtime", why=platform, fix="pump")
    expected = run_executor(small_chain.artefact.executor(), small_chain.frames, "integer")
    ran = run_in_process(small_chain.artefact.graph, small_chain.frames)
    assert compare(expected, ran).equal


@pytest.mark.parametrize("runner", [IntegerExecutor, *RUNNERS])
@pytest.mark.parametrize(
    ("change", "why", "fix"),
    [
        (lambda f: f + 0.5, "not a whole number", "no normalisation"),
        (lambda f: f + float("inf"), "inf, which is not a whole number", "no normalisation"),
        (lambda f: f - 1, "not negative", "channels of their own"),
        (lambda f: f * 1000, "head-room was proven up to", "input_max="),
        (lambda f: f[..., :3], "takes frames", "Frame the data"),
        (lambda f: f[:, :, :1], "takes frames", "Frame the data"),
    ],
)
def test_frames(small_chain, runner, change, why, fix):
    with pytest.raises(UsageError) as caught:
        _run(runner, small_chain.artefact.graph, change(small_chain.frames))
    told(caught.value, where="input", why=why, fix=fix)


def _run(runner, graph, frames):
    return (
        runner(graph).run(frames)
        if isinstance(runner, type) and issubclass(runner, IntegerExecutor)
        else runner(graph, frames)
    )


@pytest.mark.parametrize("runner", [IntegerExecutor, *RUNNERS])
def test_counts_on_an_input_declared_to_hold_spikes(runner):
    """Whatever input_max says: Lava's convolution would take a count of 2 as 1."""
    graph = lower(wide(), options=LoweringOptions(input_max=5)).graph
    with pytest.raises(UsageError) as caught:
        _run(runner, graph, torch.full((2, 1, 2, 4, 4), 2.0))
    told(caught.value, where="input", why="counts up to 2", fix="input_domain='graded'")


def test_calibration_counts_on_an_input_declared_to_hold_spikes():
    with pytest.raises(UsageError) as caught:
        lower(wide(), torch.full((2, 1, 2, 4, 4), 3.0))
    told(caught.value, where="input", why="counts up to 3", fix="graded")


@pytest.mark.parametrize("shape", [(0, 1, 2, 6, 6), (3, 0, 2, 6, 6)])
@pytest.mark.parametrize("runner", RUNNERS)
def test_no_frames(small_chain, runner, shape):
    with pytest.raises(SpikeportError) as caught:
        runner(small_chain.artefact.graph, torch.zeros(shape))
    assert "no frame to run" in caught.value.why


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(
    ("graph", "what"),
    [
        (wide(channels=128), "128 input channels"),
        (wide(channels=128, groups=128), "128 input channels"),
        (wide(side=130), "130 pixels"),
    ],
)
def test_sizes_that_lavas_convolution_cannot_hold(runner, graph, what):
    shim.import_lava()
    from lava.proc.conv.models import PyConvModelFixed

    whole = lower(graph).graph
    frames = torch.ones(2, 1, *graph.input.shape)
    with pytest.raises(UsageError) as caught:
        runner(whole, frames, conv_model=PyConvModelFixed)
    told(caught.value, where="conv", why=what, fix="Leave conv_model out")
    # The built-in model takes them.
    assert run_in_process(whole, frames).spikes["if"].all()


def test_127_is_not_too_much_for_lavas_convolution():
    shim.import_lava()
    from lava.proc.conv.models import PyConvModelFixed

    graph, frames = lower(wide(channels=127, side=2)).graph, torch.ones(2, 1, 127, 2, 2)
    stock = run_in_process(graph, frames, conv_model=PyConvModelFixed)
    assert compare(run_in_process(graph, frames), stock).equal


def test_a_network_runs_once(small_chain):
    shim.import_lava()
    from spikeport.targets.lava.network import build_network
    from spikeport.targets.lava.pump import pump
    from spikeport.targets.lava.supervisor import run_network

    graph = small_chain.artefact.graph
    network = build_network(graph, retime(graph), small_chain.frames)
    pump(network)
    for again in (pump, run_network):
        with pytest.raises(UsageError) as caught:
            again(network)
        told(caught.value, where="input", why="once only", fix="build_network")


def test_schedule_of_another_graph(small_chain, max_former):
    graph, other = small_chain.artefact.graph, retime(max_former.artefact.graph)
    with pytest.raises(UsageError) as caught:
        run_in_process(graph, small_chain.frames, schedule=other)
    told(caught.value, where="attended", why="another graph", fix="retime")
    with pytest.raises(UsageError):
        run_in_process(graph, small_chain.frames, schedule=Schedule({}, {}))


def ran(spikes, steps=2, backend="left") -> Run:
    values = torch.tensor(spikes, dtype=torch.bool).expand(steps, 1, 2)
    return Run(torch.zeros(1, 1), {"first": values, "second": values}, backend)


def test_comparisons_of_other_numbers_of_steps():
    with pytest.raises(UsageError) as caught:
        compare(ran([0, 1]), ran([0, 1], steps=3))
    told(caught.value, where="first", why="(2, 1, 2) and (3, 1, 2)", fix="same frames")


def test_comparisons_of_other_layers():
    one = ran([0, 1])
    with pytest.raises(UsageError) as caught:
        compare(one, one._replace(backend="right", spikes={"first": one.spikes["first"]}))
    told(caught.value, where="left, right", why="same layers", fix="one graph")


def test_outputs_that_cannot_be_compared_are_no_equality():
    one = ran([0, 1])
    with pytest.raises(UsageError) as caught:
        compare(one, one._replace(backend="right", outputs=torch.zeros(1, 2)))
    told(caught.value, where="left, right", why="(1, 1) and (1, 2)", fix="one graph")


def test_spikes_that_differ():
    one = ran([0, 1])
    changed = {name: value.clone() for name, value in one.spikes.items()}
    changed["second"][1, 0, 1] = False
    with pytest.raises(CheckFailed) as caught:
        compare(one, one._replace(backend="right", spikes=changed)).require()
    told(
        caught.value,
        where="second",
        why="1 of 8 spikes differ between left and right; the first at sample 0, step 1, "
        "index (1,): 1 against 0",
        fix="layers before",
    )


def test_outputs_that_differ_though_no_spike_does():
    one = ran([0, 1])
    result = compare(one, one._replace(backend="right", outputs=torch.ones(1, 1)))
    result.require()
    with pytest.raises(CheckFailed) as caught:
        result.require(outputs=0.5)
    told(caught.value, where="outputs", why="by up to 1", fix="last neuron")
    lost = one._replace(outputs=torch.full((1, 1), float("nan")))
    with pytest.raises(CheckFailed, match="by up to nan"):
        compare(one, lost).require()


@pytest.mark.parametrize("spikes", [[0, 0], [1, 1]])
def test_layers_that_never_or_always_fire_prove_nothing(spikes):
    one = ran(spikes)
    result = compare(one, one)
    result.require()
    assert result.unproven == ("first", "second")
    assert result.as_json()["unproven"] == ["first", "second"]
    with pytest.raises(CheckFailed) as caught:
        result.prove()
    told(caught.value, where="first", why="2 of 2 layers never fired or always did", fix="more")
    compare(ran([0, 1]), ran([0, 1])).prove()


def test_a_model_in_training_mode_is_lowered_as_it_infers():
    from nets import sequential

    torch.manual_seed(0)
    model = sequential().train()
    x = torch.rand(4, 3, 2, 16, 16)
    in_training, in_evaluation = trace(model, x), trace(model.eval(), x)
    assert [node.name for node in in_training] == [node.name for node in in_evaluation]
    for left, right in zip(in_training, in_evaluation, strict=True):
        for name in ("weight", "bias"):
            a, b = getattr(left.op, name, None), getattr(right.op, name, None)
            assert (a is None) == (b is None)
            assert a is None or torch.equal(a, b)


def test_a_killed_run_tells_its_times(small_chain, monkeypatch):
    with watched(monkeypatch) as traces:
        with pytest.raises(SpikeportError) as caught:
            run_on_lava(small_chain.artefact.graph, small_chain.frames, deadline=0.2)
        traces.assert_none()
    told(caught.value, where="Lava runtime", why="was killed", fix="longer deadline")
    assert "of 0.2 s allowed" in str(caught.value)
