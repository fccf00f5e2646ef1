"""Stage by stage: what is equal, what differs, and by how much."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import torch

from spikeport import load_model, trace
from spikeport.convert import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.targets.fidelity import FidelityReport, fidelity, save_heat_map
from spikeport.targets.fidelity.forced import run_alone
from spikeport.targets.lava import lower
from spikeport.targets.lowered import run_executor


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
    lowered = lower(graph, digits_frames)
    result = fidelity(graph, lowered, digits_frames, model=model, sample=sample)
    first = result.stages[0]
    assert (first.left, first.right, first.different) == ("model", "graph", 0)
    assert first.exact and first.compared > 40_000 and first.output_difference < 1e-9


@pytest.fixture(scope="module")
def digits_frames() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.poisson(torch.full((4, 2, 2, 32, 32), 0.6), generator=generator)


def test_a_difference_where_none_may_be_is_a_failure(max_former: Any) -> None:
    class Wrong:
        """A target whose second backend loses one spike."""

        target, report = "wrong", max_former.artefact.report
        backends = ("integer", "lossy")
        graph, tolerance = max_former.artefact.graph, max_former.artefact.tolerance

        def run(self, frames: Any, *, backend: str | None = None, spikes: bool = False) -> Any:
            ran = max_former.artefact.integer(frames, spikes=spikes)._replace(backend=backend)
            if backend == "lossy":
                name = list(ran.spikes)[2]
                value = ran.spikes[name].clone()
                value[tuple(value.nonzero()[0])] = False
                ran = ran._replace(spikes={**ran.spikes, name: value})
            return ran

    result = fidelity(max_former.graph, Wrong(), max_former.frames)  # type: ignore[arg-type]
    assert not result.ok
    assert stage(result, "lossy").different == 1


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
