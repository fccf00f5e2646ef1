"""The main job on real networks and data that come with the package: one page, one folder.

Recordings -> model -> graph, proven -> counts and energy -> fixed point -> Lava's own runtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape

from spikeport.core.files import write_json
from spikeport.core.progress import working
from spikeport.runs import Run, command_line, spread, stack

if TYPE_CHECKING:
    from torch import nn

    from spikeport.convert import Graph
    from spikeport.estimate import EnergyReport
    from spikeport.targets.lava import LavaArtefact
    from spikeport.targets.parity import Parity
    from spikeport.train.data import FrameDataset

T = TypeVar("T")

MODEL, DATA = "max_former_digits", "digits"
LAVA_RECORDINGS = 10
"""Recordings run on Lava's own runtime: one of each class."""
VERSIONED = (
    "spikeport",
    "torch",
    "spikingjelly",
    "numpy",
    "tonic",
    "mlxtend",
    "lava-nc",
    "lava-dl",
)


@dataclass
class Demo:
    """The run so far; each step adds what the next one needs.

    Args:
        folder: where the files go.
        console: where the page goes.
    """

    folder: Path
    console: Console
    started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Do everything; returns what `summary.json` holds.

        Raises:
            CheckFailed: a spike differs somewhere on the way.
        """
        self.console.print(
            "[bold]Spikeport: a trained spiking transformer, its energy, and Lava's fixed point[/]"
        )
        data = self._timed("data", self._data)
        model, accuracy = self._timed("model", lambda: self._model(data))
        graph = self._timed("trace", lambda: self._trace(model, data))
        run = Run(graph, data, len(data))
        report = self._timed("energy", lambda: self._energy(run))
        artefact, fixed = self._timed("fixed point", lambda: self._lower(run))
        parity, on_lava = self._timed("lava", lambda: self._lava(run, artefact))
        summary = {
            "model": MODEL,
            "data": {"name": data.name, "provenance": data.provenance, "samples": len(data)},
            "accuracy": {
                "float": accuracy,
                "graph": report.accuracy.top1 if report.accuracy else None,
                "fixed_point": fixed,
                "lava": on_lava,
                "lava_samples": LAVA_RECORDINGS,
            },
            "parity": {
                "graph_against_model": graph.metadata["certificate"],
                "lava_against_integers": {
                    "spikes": parity.compared,
                    "different": parity.different,
                    "equal": parity.equal,
                    "silent": list(parity.silent),
                },
            },
            "totals": report.as_dict()["totals"],
            "energy_model": report.model.id,
            "versions": {name: version(name) for name in VERSIONED},
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
        }
        write_json(self.folder / "summary.json", summary)
        self._files()
        return summary

    def _timed(self, name: str, step: Callable[[], T]) -> T:
        began = time.monotonic()
        result = step()
        self.seconds[name] = time.monotonic() - began
        return result

    def _section(self, number: int, title: str) -> None:
        self.console.print(f"\n[bold]{number}  {title}[/]")

    def _data(self) -> FrameDataset:
        from spikeport.train.data import open_data
        from spikeport.train.models import MODELS

        self._section(1, "Data")
        data = open_data(DATA, "test", steps=MODELS[MODEL].steps)
        steps, channels, height, width = data.frame_shape
        self.console.print(
            f"{len(data):,} held-out recordings of moving digits: {data.provenance}.\n"
            f"Each is {steps} frames of {channels} x {height} x {width} event counts, "
            f"{data.frames.sum() / len(data):,.0f} events on average."
        )
        return data

    def _model(self, data: FrameDataset) -> tuple[nn.Module, float]:
        from spikeport.train.checkpoint import load_model
        from spikeport.train.evaluate import accuracy

        self._section(2, "Model")
        model = load_model(MODEL)
        right = accuracy(model, data)
        parameters = sum(p.numel() for p in model.parameters())
        self.console.print(
            f"{MODEL}: {parameters:,} parameters, trained by `spikeport train digits`.\n"
            f"Accuracy in float32: [bold]{100 * right:.2f} %[/] of {len(data):,}."
        )
        return model, right

    def _trace(self, model: nn.Module, data: FrameDataset) -> Graph:
        from spikeport.convert import trace

        self._section(3, "Graph")
        sample = stack(data, spread(len(data), LAVA_RECORDINGS)).transpose(0, 1)
        with working("Tracing and proving"):
            graph = trace(model, sample, input_domain=data.input_domain)
        graph.metadata["source"]["model"] = MODEL
        graph.save(self.folder / f"{MODEL}.spg")
        proof = graph.metadata["certificate"]
        self.console.print(
            f"{len(graph)} nodes, batch norms folded. Against the model, in float64, on "
            f"{len(sample)} recordings:\n[bold]{proof['spikes']:,} spikes in {proof['neurons']} "
            f"neuron layers equal[/] ({proof['fired']:,} fired), scores within "
            f"{proof['output_difference']:.1g}."
        )
        return graph

    def _energy(self, run: Run) -> EnergyReport:
        from spikeport.convert import Interpreter
        from spikeport.estimate import DataInfo, estimate
        from spikeport.estimate.export.network import network_json
        from spikeport.estimate.formats import NETWORK, REPORT

        self._section(4, "Energy")
        report = estimate(
            Interpreter(run.graph),
            run.shared_out(),
            data=DataInfo(DATA, "test", run.data.provenance),
        )
        report.to_csv(self.folder / "layers.csv")
        report.to_json(self.folder / REPORT)
        # With it `spikeport report` draws the network.
        network_json(report, self.folder / NETWORK, MODEL, command_line())
        self.console.print(report.render())
        return report

    def _lower(self, run: Run) -> tuple[LavaArtefact, float]:
        from spikeport.estimate import accuracy
        from spikeport.targets.artefact import write_artefact
        from spikeport.targets.lava import lower

        self._section(5, "Fixed point")
        with working("Lowering"):
            artefact = lower(run.graph, run.calibration())
            write_artefact(
                artefact, stack(run.data, spread(len(run.data), 2)), self.folder / "lava"
            )
        right = accuracy(artefact.executor(), run.batches("Fixed point")).top1
        warnings = artefact.report.warnings()
        bits = artefact.report.options["weight_bits"]
        self.console.print(
            f"{bits}-bit weights, Lava's integer neurons; scales chosen by training recordings.\n"
            f"Accuracy in fixed point: [bold]{100 * right:.2f} %[/] of {run.samples:,}. "
            f"{len(artefact.report.rows)} figures on approximations and limits, "
            f"{len(warnings)} of them warnings."
        )
        for row in warnings:
            self.console.print(
                f"  {row.layer}: {row.figure} {row.value:g} {row.unit}. {row.advice}"
            )
        return artefact, right

    def _lava(self, run: Run, artefact: LavaArtefact) -> tuple[Parity, float]:
        from spikeport.targets.lava import run_on_lava
        from spikeport.targets.parity import compare

        self._section(6, "Lava")
        chosen = spread(len(run.data), LAVA_RECORDINGS)
        frames = stack(run.data, chosen)
        with working("Running on Lava"):
            on_lava = run_on_lava(artefact.graph, frames)
        parity = compare(artefact.integer(frames, spikes=True), on_lava)
        parity.require()
        predictions = on_lava.outputs.argmax(1).numpy()
        right = float((predictions == run.data.labels[chosen]).mean())
        self.console.print(
            f"Lava's own runtime (Loihi2SimCfg, fixed point), {len(chosen)} recordings streamed "
            f"back to back in {on_lava.seconds:.1f} s:\n[bold]{parity.compared:,} spikes in "
            f"{len(parity.layers)} neuron layers equal[/] to the integer executor's; "
            f"{100 * right:.0f} % of the recordings right."
        )
        for name in parity.silent:
            self.console.print(f"  Note: {name} never fired, so equality says little there.")
        return parity, right

    def _files(self) -> None:
        self._section(7, "Files")
        for name, what in (
            ("summary.json", "accuracies, parity, totals, versions"),
            ("layers.csv", "counts and energy of each layer"),
            ("report.json", "the whole energy report"),
            ("network.json", "nodes and edges, for `spikeport report`"),
            (f"{MODEL}.spg", "the graph with its certificate"),
            ("lava/", "the network in fixed point, with schedule and report"),
        ):
            self.console.print(f"  {escape(str(self.folder / name)):<42} {what}")
        total = time.monotonic() - self.started
        self.console.print(f"\nDone in {total:.0f} s.")
