"""Results that the report page is made from, of shipped models on simulated events."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

WEIGHTS = Path(__file__).parents[2] / "train" / "weights"


@dataclass(frozen=True)
class Results:
    """Folders that commands wrote."""

    folder: Path

    @property
    def estimated(self) -> Path:
        return self.folder / "estimated"

    @property
    def evaluated(self) -> Path:
        return self.folder / "evaluated"

    @property
    def lava(self) -> Path:
        return self.folder / "lava"

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    @property
    def trained(self) -> Path:
        return self.folder / "trained"

    @property
    def widths(self) -> Path:
        return self.folder / "widths"

    @property
    def spectrum(self) -> Path:
        return self.folder / "spectrum"

    @property
    def all(self) -> list[Path]:
        measured = [self.estimated, self.evaluated, self.lava, self.reference, self.trained]
        return [*measured, self.widths, self.spectrum]


def make(found: Results, model: str, samples: int) -> None:
    """Results of a shipped model: by the command where it is quick, else by what it calls."""
    import spikeport.lava_counting  # noqa: F401
    from spikeport.bits import sweep_bits
    from spikeport.cli.widths import about
    from spikeport.convert import Interpreter
    from spikeport.core.files import write_json
    from spikeport.estimate import DataInfo, energy_model, evaluate
    from spikeport.estimate.spectrum import Spectra, SpectrumReport
    from spikeport.runs import RunChoice, open_run, spread, stack
    from spikeport.targets import lower
    from spikeport.targets.artefact import write_artefact
    from spikeport.targets.fidelity import FidelityReport, against_float, fidelity
    from spikeport.train.checkpoint import load_model

    command(
        "estimate", model, "--samples", samples, "--chip", "loihi1,loihi2", "-o", found.estimated
    )
    choice = RunChoice(model, samples=samples)
    opened = open_run(choice)
    frames = stack(opened.data, spread(len(opened.data), 2))
    lava = lower(opened.graph, "lava", calibration=frames, search="none")
    evaluate(
        {"reference": Interpreter(opened.graph), "lava": lava.executor()},
        opened.shared_out(),
        energy=energy_model("horowitz45-fp32"),
        curve=True,
        data=DataInfo("digits", "test", opened.data.provenance),
        class_names=opened.data.classes,
    ).save(found.evaluated)
    stage = against_float(opened.graph, lava, frames)
    report = FidelityReport("lava", 2, len(frames), (stage,), {"runtime": "not run here"})
    write_artefact(lava, frames, found.lava, report)
    reference = lower(opened.graph, "reference")
    network, sample = load_model(model), frames.transpose(0, 1)
    proven = fidelity(opened.graph, reference, frames, model=network, sample=sample)
    write_artefact(reference, frames, found.reference, proven)
    sweep = sweep_bits(
        opened.graph, frames, opened.batches("Widths"), [4, 8], sample=frames, search="none"
    )
    replace(sweep, about=about(choice, opened)).save(found.widths / "bits.json")
    spectra = Spectra(opened.graph)
    spectra.run(Interpreter(opened.graph), frames)
    spectrum = SpectrumReport(spectra, DataInfo("digits", "test", opened.data.provenance))
    write_json(found.spectrum / "spectrum.json", spectrum.as_dict())
    found.trained.mkdir()
    shutil.copy(WEIGHTS / f"{model}.safetensors", found.trained)


def command(*words: object) -> None:
    """Run `spikeport WORDS` in this process."""
    from spikeport.cli.app import app

    told = list(map(str, words))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["spikeport", *told])
        assert not app(told, standalone_mode=False)
