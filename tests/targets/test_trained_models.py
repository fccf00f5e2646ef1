"""Each network that comes trained, on its whole way; what stops it somewhere is named."""

from __future__ import annotations

import pytest
import torch
from digits_data import digits

from spikeport.convert import Interpreter
from spikeport.core.errors import UnsupportedError
from spikeport.estimate import Coverage, Tally
from spikeport.targets import check
from spikeport.targets.lava import lower
from spikeport.targets.lowered import FLOAT32, run_executor
from spikeport.targets.nir import lower as to_nir
from spikeport.targets.onnx import lower as to_onnx
from spikeport.targets.parity import compare
from spikeport.train.checkpoint import shipped_models

NIR = {
    "max_former_digits": "maximum of real values",
    "max_former_digits_stf": "NIR adds constants in layers with weights only",
    "max_resnet_digits": "maximum of real values",
    "ms_qkformer_digits": "maximum of real values",
    "spikformer_digits": "NIR can merge neighbouring axes only",
}
"""Why NIR takes none without extensions."""
AGREEMENT = 0.97
"""Share of recordings that fixed point must put into the float network's class."""


@pytest.mark.parametrize("name", shipped_models())
def test_the_whole_way(name: str) -> None:
    graph, calibration, frames, _ = digits(20, 4, name)
    certificate = graph.metadata["certificate"]
    assert certificate["fired"] > 1000 and not certificate["silent"]
    plans = Tally(graph).plans.values()
    assert not [plan for plan in plans if plan.status is Coverage.UNCOUNTED]

    artefact = lower(graph, calibration)
    pump = artefact.run(frames, backend="pump", spikes=True)
    parity = compare(artefact.integer(frames, spikes=True), pump)
    parity.prove(0.0)

    written = to_onnx(graph, steps=4)
    exact = run_executor(Interpreter(written.graph, torch.float64), frames, "float64")
    flipped = compare(exact, written.run(frames, spikes=True))
    assert flipped.different <= FLOAT32.spikes * flipped.compared

    whys = " ".join(finding.why for finding in check(graph, "nir").errors)
    assert NIR[name] in whys
    with pytest.raises(UnsupportedError):
        to_nir(graph, frames)
    proof = to_nir(graph, frames, extensions=True).report.proof
    assert proof.different == 0 and proof.fired > 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_models())
def test_fixed_point_answers_as_float_does(name: str) -> None:
    graph, calibration, frames, _ = digits(200, 1000, name)
    got = lower(graph, calibration).executor().run(frames).argmax(1)
    want = Interpreter(graph).run(frames).argmax(1)
    assert float((got == want).double().mean()) >= AGREEMENT
