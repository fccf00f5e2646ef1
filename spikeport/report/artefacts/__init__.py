"""Results that the page is made from; each kind is recognised by what a folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from spikeport.report.artefacts import energy, evaluation, lowered, spectrum, training, widths
from spikeport.report.artefacts.energy import EnergyArtefact
from spikeport.report.artefacts.evaluation import EvaluationArtefact
from spikeport.report.artefacts.lowered import LoweredArtefact
from spikeport.report.artefacts.spectrum import SpectrumArtefact
from spikeport.report.artefacts.training import TrainingArtefact
from spikeport.report.artefacts.widths import WidthsArtefact

Artefact: TypeAlias = (
    EnergyArtefact
    | EvaluationArtefact
    | LoweredArtefact
    | SpectrumArtefact
    | TrainingArtefact
    | WidthsArtefact
)

FINDERS: tuple[Callable[[Path], Artefact | None], ...] = (
    energy.find,
    evaluation.find,
    lowered.find,
    training.find,
    widths.find,
    spectrum.find,
)

__all__ = [
    "FINDERS",
    "Artefact",
    "EnergyArtefact",
    "EvaluationArtefact",
    "LoweredArtefact",
    "SpectrumArtefact",
    "TrainingArtefact",
    "WidthsArtefact",
]
