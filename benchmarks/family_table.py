"""Every model that comes trained, on its whole way: float, energy, fixed point, Lava, ONNX, NIR.

    python benchmarks/family_table.py [MODEL ...] [--samples 1000] [--set search=none] [--json]

Prints the table of docs/models.md, measured on event digits (simulated events). Fixed point: 8-bit
weights, scales from 200 recordings of the training split, the integer executor of Lava on the same
recordings as the float network; the difference is paired, with its 95 % interval (Agresti and Min).
`--pump` recordings go through Lava's process models as well, `--onnx` through onnxruntime, in
float32, against the graph in float64. Exit code 1 if Lava's process models differ from the integer
executor anywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from spikeport.cli.settings import parse_settings
from spikeport.convert import Interpreter
from spikeport.estimate import accuracy, estimate
from spikeport.estimate.paired import paired
from spikeport.runs import Run, RunChoice, open_run, spread, stack
from spikeport.targets import check
from spikeport.targets.lava import lower
from spikeport.targets.lowered import run_executor
from spikeport.targets.nir import lower as to_nir
from spikeport.targets.onnx import lower as to_onnx
from spikeport.targets.parity import compare
from spikeport.train.checkpoint import load_model, shipped_models

ENERGY = "horowitz45-fp32"


@dataclass(frozen=True)
class Row:
    """What one network came to.

    Attributes:
        proven: spikes of the traced graph compared with the model's, in float64, all equal.
        parameters: of the model, batch norms included.
        accuracy, fixed: shares of right answers, in float32 and with 8-bit weights.
        difference: fixed minus float, with the ends of its 95 % interval.
        energy_uj, sop: means per recording.
        latency: steps from a frame to the last neurons on Lava.
        pump: (spikes compared, different) between the integer executor and Lava's process models.
        onnx: (spikes compared, flipped) between onnxruntime and the graph in float64.
        nir: "yes", or the kinds of op that NIR has no primitive for.
        nir_extended: spikes that differ with Spikeport's extensions in their place.
    """

    model: str
    proven: int
    parameters: int
    accuracy: float
    correct: int
    samples: int
    energy_uj: float
    sop: float
    fixed: float
    difference: tuple[float, float, float]
    p_value: float
    agreement: float
    latency: int
    warnings: int
    pump: tuple[int, int]
    onnx: tuple[int, int]
    nir: str
    nir_extended: int


def measure(name: str, samples: int, pump: int, onnx: int, settings: dict[str, object]) -> Row:
    run = open_run(RunChoice(model=name, samples=samples))
    report = estimate(Interpreter(run.graph), run.shared_out(), ENERGY, papers=())
    assert report.accuracy is not None, "event digits have labels"
    artefact = lower(run.graph, run.calibration(), weight_bits=8, **settings)
    fixed = accuracy(artefact.executor(), run.batches("Fixed point"))
    pair = paired(report.accuracy.hits, fixed.hits)
    same = zip(report.accuracy.predictions, fixed.predictions, strict=True)
    few = stack(run.data, spread(len(run.data), pump))
    on_lava = compare(
        artefact.integer(few, spikes=True), artefact.run(few, backend="pump", spikes=True)
    )
    verdicts = check(run.graph, "nir").verdicts
    missing = sorted({verdict.op for verdict in verdicts if verdict.status == "unsupported"})
    extended = to_nir(run.graph, few, extensions=True).report.proof
    return Row(
        model=name,
        proven=run.graph.metadata["certificate"]["spikes"],
        parameters=sum(weight.numel() for weight in load_model(name).parameters()),
        accuracy=report.accuracy.top1,
        correct=report.accuracy.correct,
        samples=report.accuracy.count,
        energy_uj=float(report.totals["energy_uJ"]),
        sop=float(report.totals["sop"]),
        fixed=fixed.top1,
        difference=(pair.difference, *pair.interval),
        p_value=pair.p_value,
        agreement=sum(a == b for a, b in same) / fixed.count,
        latency=artefact.latency,
        warnings=len(artefact.report.warnings()),
        pump=(on_lava.compared, on_lava.different),
        onnx=flips(run, onnx),
        nir=", ".join(missing) or "yes",
        nir_extended=extended.different,
    )


def flips(run: Run, samples: int) -> tuple[int, int]:
    """(spikes compared, different) between onnxruntime in float32 and the graph in float64."""
    frames = stack(run.data, spread(len(run.data), samples))
    written = to_onnx(run.graph, steps=len(frames))
    exact = run_executor(Interpreter(written.graph, torch.float64), frames, "float64")
    result = compare(exact, written.run(frames, spikes=True))
    return result.compared, result.different


HEAD = (
    "model", "parameters", "float %", "energy uJ", "SOP", "8 bits %", "minus float, points (95 %)",
    "Lava steps", "Lava = integer", "ONNX flips", "NIR lacks",
)  # fmt: skip


def cells(row: Row) -> list[str]:
    difference, low, high = (100 * value for value in row.difference)
    return [
        row.model,
        f"{row.parameters:,}",
        f"{100 * row.accuracy:.1f}",
        f"{row.energy_uj:.3f}",
        f"{row.sop / 1e6:.2f} M",
        f"{100 * row.fixed:.1f}",
        f"{difference:+.1f} ({low:+.1f} to {high:+.1f})",
        f"T + {row.latency}",
        f"{row.pump[0]:,} spikes" if not row.pump[1] else f"NO: {row.pump[1]:,} differ",
        f"{row.onnx[1]:,} of {row.onnx[0] / 1e6:.1f} M",
        row.nir,
    ]


def line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=shipped_models())
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--pump", type=int, default=10)
    parser.add_argument("--onnx", type=int, default=100)
    parser.add_argument("--set", action="append", default=[], help="an option of the lowering")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    settings = parse_settings(given.set)
    rows = []
    if not given.json:
        print(line(HEAD), line(["---"] * len(HEAD)), sep="\n", flush=True)
    for name in given.models:
        rows.append(measure(name, given.samples, given.pump, given.onnx, settings))
        if not given.json:
            print(line(cells(rows[-1])), flush=True)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    return int(any(row.pump[1] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
