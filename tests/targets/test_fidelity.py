"""Stage by stage: what is equal, what differs, and by how much."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport import load_model, lower, trace
from spikeport.cli.commands.lower import prove
from spikeport.convert import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.passes import run_passes
from spikeport.core.errors import CheckFailed, UnknownNameError
from spikeport.targets.artefact import verify_artefact, write_artefact
from spikeport.targets.fidelity import FidelityReport, fidelity, save_heat_map
from spikeport.targets.fidelity.forced import run_alone
from spikeport.targets.lowered import EXACT, Run, Tolerance, run_executor


@pytest.fixture(scope="module")
def report(max_former: Any) -> FidelityReport:
    return fidelity(max_former.graph, max_former.artefact, max_former.frames)


def stage(report: FidelityReport, right: str) -> Any:
    return next(each for each in report.stages if each.right == right)


def test_backends_equal_the_first_and_are_compared_with_it(report: FidelityReport) -> None:
    names = [(each.left, each.right) for each in report.stages]
    others = ("pump", "runtime", "slayer")
    assert names == [("graph", "integer"), *(("integer", name) for name in others)]
    assert report.ok and (report.samples, report.steps) == (3, 4)
    for name in others:
        assert stage(report, name).exact and stage(report, name).different == 0
        assert stage(report, name).first == ""


def test_what_the_fixed_point_costs_is_told_by_layer(
    report: FidelityReport, max_former: Any
) -> None:
    told = stage(report, "integer")
    assert told.different > 0 and not told.exact and "against" in told.first
    graph, frames = max_former.graph, max_former.frames
    a = run_executor(Interpreter(graph, torch.float64), frames, "graph").spikes
    b = max_former.artefact.integer(frames, spikes=True).spikes
    for layer in told.layers:
        left, right = a[layer.layer], b[layer.layer]
        assert layer.different == int((left != right).sum())
        assert layer.agreement == pytest.approx(float((left == right).double().mean()))
        by_step = (left != right).double().mean(tuple(range(1, left.ndim)))
        assert layer.by_step == pytest.approx(by_step.tolist())
        rates = float(left.double().mean()), float(right.double().mean())
        assert layer.rate_error == pytest.approx(rates[1] / rates[0] - 1)
        assert layer.alone is not None and layer.alone > 0.97
        assert layer.membrane_error is not None and 0 < layer.membrane_error < 0.05
    # Alone, the first layer does what it does in the network: nothing comes before it.
    assert told.layers[0].alone == pytest.approx(told.layers[0].agreement)


def test_a_layer_alone_reads_the_spikes_that_it_is_given(max_former: Any) -> None:
    """By hand: the second neuron of the network, on spikes made up for the first."""
    graph, frames = max_former.graph, max_former.frames
    neurons = [node.name for node in graph if isinstance(node.op, Neuron)]
    true = run_executor(Interpreter(graph, torch.float64), frames, "graph").spikes
    given = {name: torch.zeros_like(value) for name, value in true.items()}
    found = run_alone(graph, frames, given)
    assert torch.equal(found[neurons[0]].spikes, true[neurons[0]])
    # Nothing but biases reaches the others: the same for each sample.
    last = found[neurons[-1]].spikes
    assert torch.equal(last[:, 0], last[:, 1])
    again = run_alone(graph, frames, true)
    for name in neurons:
        assert torch.equal(again[name].spikes, true[name]), name
        membrane = again[name].membrane
        assert membrane is not None and torch.equal(membrane >= 1, true[name]), name


def test_from_the_model_on(digits_frames: torch.Tensor) -> None:
    model = load_model("max_former_digits")
    sample = digits_frames.transpose(0, 1)
    graph = trace(model, sample, input_domain="graded")
    lowered = lower(graph, "lava", calibration=digits_frames)
    result = fidelity(graph, lowered, digits_frames, model=model, sample=sample, backends=())
    first = result.stages[0]
    assert (first.left, first.right, first.different) == ("model", "graph", 0)
    assert first.exact and first.compared > 40_000 and first.output_difference < 1e-9


@pytest.fixture(scope="module")
def digits_frames() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.poisson(torch.full((4, 2, 2, 32, 32), 0.6), generator=generator)


class Altered:
    """A target whose second backend does to a run what it is told to."""

    target, backends = "wrong", ("integer", "lossy")

    def __init__(self, case: Any, alter: Callable[[Run], Run], allowed: Tolerance = EXACT) -> None:
        self.artefact, self.alter, self.tolerance = case.artefact, alter, allowed
        self.graph, self.report = case.artefact.graph, case.artefact.report
        self.calls: list[str | None] = []

    def run(self, frames: Any, *, backend: str | None = None, spikes: bool = False) -> Run:
        self.calls.append(backend)
        ran = self.artefact.integer(frames, spikes=spikes)
        return ran if backend != "lossy" else self.alter(ran)._replace(backend="lossy")


def lossy(case: Any, alter: Callable[[Run], Run], allowed: Tolerance = EXACT) -> Any:
    report = fidelity(case.graph, Altered(case, alter, allowed), case.frames)  # type: ignore[arg-type]
    told = stage(report, "lossy")
    assert report.ok == told.ok == (not told.problems)
    return told


def without_a_spike(run: Run) -> Run:
    name = list(run.spikes)[1]
    value = run.spikes[name].clone()
    value[tuple(value.nonzero()[0])] = False
    return run._replace(spikes={**run.spikes, name: value})


def without_a_layer(run: Run) -> Run:
    name, *_ = run.spikes
    return run._replace(spikes={key: value for key, value in run.spikes.items() if key != name})


def with_another_layer(run: Run) -> Run:
    return run._replace(spikes={**run.spikes, "new": run.spikes["first_lif"]})


def with_outputs(run: Run, change: float) -> Run:
    outputs = run.outputs.double().clone()
    outputs[(0,) * outputs.ndim] += change
    return run._replace(outputs=outputs)


def test_what_is_equal_has_no_problems(small_chain: Any) -> None:
    assert lossy(small_chain, lambda run: run).ok


def test_a_spike_that_differs_where_none_may_is_a_failure(small_chain: Any) -> None:
    told = lossy(small_chain, without_a_spike)
    assert told.different == 1 and len(told.problems) == 1
    assert "1 of 378 spikes differ between integer and lossy" in told.problems[0]
    assert "second_lif, step" in told.problems[0]
    loose = lossy(small_chain, without_a_spike, Tolerance(0.01, 0.0))
    assert loose.ok and not loose.exact
    tight = lossy(small_chain, without_a_spike, Tolerance(0.001, 0.0))
    assert "may differ in 0.1 % of them" in tight.problems[0]


@pytest.mark.parametrize("change", [1e-9, float("nan")])
def test_outputs_that_differ_where_spikes_do_not_are_a_failure(
    small_chain: Any, change: float
) -> None:
    told = lossy(small_chain, lambda run: with_outputs(run, change))
    assert told.different == 0 and len(told.problems) == 1
    assert "outputs of integer and lossy differ by" in told.problems[0]
    loose = lossy(small_chain, lambda run: with_outputs(run, change), Tolerance(0.0, 1e-6))
    assert loose.ok == (change == 1e-9)


def test_outputs_behind_a_spike_that_may_differ_may_differ_too(small_chain: Any) -> None:
    def both(run: Run) -> Run:
        return with_outputs(without_a_spike(run), 1.0)

    told = lossy(small_chain, both, Tolerance(0.01, 0.0))
    assert ", sample 0," in told.first and told.output_difference == 1.0
    assert told.ok and told.output_gap == 0.0


@pytest.mark.parametrize(
    ("alter", "layer", "runs_in"),
    [(without_a_layer, "first_lif", "integer"), (with_another_layer, "new", "lossy")],
)
def test_a_layer_that_one_side_lacks_is_told_and_a_failure(
    small_chain: Any, alter: Callable[[Run], Run], layer: str, runs_in: str
) -> None:
    target: Any = Altered(small_chain, alter)
    report = fidelity(small_chain.graph, target, small_chain.frames)
    told = stage(report, "lossy")
    assert told.uncompared == {layer: runs_in} and not report.ok
    assert f"{layer} runs in {runs_in} only" in told.problems[0]
    rows = report.table().query("runs_in != ''")
    assert rows[["layer", "compared", "runs_in"]].values.tolist() == [[layer, 0, runs_in]]
    side = "only_left" if runs_in == "integer" else "only_right"
    assert report.as_json()["stages"][-1][side] == [layer]


def test_lowering_stops_at_the_first_problem(small_chain: Any) -> None:
    target: Any = Altered(small_chain, lambda run: with_outputs(run, 1.0))
    with pytest.raises(CheckFailed, match=r"wrong: outputs of integer and lossy differ by 1 "):
        prove(small_chain.graph, target, small_chain.frames)


def test_outputs_that_are_no_numbers_are_a_failure_and_can_be_written(
    small_chain: Any, tmp_path: Path
) -> None:
    """Where a stage may be any distance from the one before, it must still be one."""
    target: Any = Altered(small_chain, lambda run: run)
    golden = with_outputs(target.run(small_chain.frames, spikes=True), float("nan"))
    with pytest.raises(CheckFailed, match=r"outputs of \w+ and integer differ by nan"):
        prove(small_chain.graph, target, small_chain.frames, golden)
    report = fidelity(small_chain.graph, target, small_chain.frames, golden=golden, backends=())
    assert not report.ok
    # JSON has no NaN.
    write_artefact(small_chain.artefact, small_chain.frames, tmp_path, report, golden)
    last = json.loads((tmp_path / "parity.json").read_text())["stages"][-1]
    assert last["output_difference"] is None and not last["ok"]
    assert "differ by nan" in last["problems"][0]


def test_a_run_that_is_known_is_not_run_again(small_chain: Any, tmp_path: Path) -> None:
    target: Any = Altered(small_chain, lambda run: run)
    golden = target.run(small_chain.frames, spikes=True)
    report = fidelity(small_chain.graph, target, small_chain.frames, golden=golden)
    assert report.ok and target.calls == [None, "lossy"]
    write_artefact(small_chain.artefact, small_chain.frames, tmp_path, report, golden)
    assert verify_artefact(tmp_path).ok


def test_backends_that_are_not_asked_for_are_not_run(small_chain: Any) -> None:
    target: Any = Altered(small_chain, lambda run: run)
    alone = fidelity(small_chain.graph, target, small_chain.frames, backends=())
    assert [each.right for each in alone.stages][-1] == "integer" and target.calls == ["integer"]
    both = fidelity(small_chain.graph, target, small_chain.frames, backends=("integer", "lossy"))
    assert (both.stages[-1].left, both.stages[-1].right) == ("integer", "lossy")
    with pytest.raises(UnknownNameError, match="fast"):
        fidelity(small_chain.graph, target, small_chain.frames, backends=("fast",))


class Twins(nn.Module):
    """Two equal neurons, which become one, and one that nothing reads."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.dead = (neuron.IFNode(step_mode="m") for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        self.dead(x * 0.5)
        return self.a(x) + 2 * self.b(x)


def test_neurons_of_the_model_that_no_node_is_named_after() -> None:
    sample = torch.rand(4, 2, 3, dtype=torch.float64) * 2
    graph = run_passes(trace(Twins(), sample), ["merge-identical"], sample)
    assert sum(isinstance(node.op, Neuron) for node in graph) == 1
    target: Any = lower(graph, "reference")
    report = fidelity(graph, target, sample, model=Twins(), sample=sample)
    told = report.stages[0]
    assert [layer.layer for layer in told.layers] == [
        next(node.name for node in graph if isinstance(node.op, Neuron)),
        "b",
    ]
    assert told.left_out == ("dead",) and told.uncompared == {"dead": "model"} and report.ok


def test_tables_files_and_pictures(report: FidelityReport, tmp_path: Path) -> None:
    table = report.table()
    assert len(table) == sum(len(each.layers) for each in report.stages)
    content = report.as_json()
    assert content["ok"] and content["stages"][0]["layers"][0]["agreement"] < 1
    for name in ("a.svg", "b.svg", "a.png"):
        save_heat_map(report, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    text = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert text.tag.endswith("svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
