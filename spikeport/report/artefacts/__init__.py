"""Results that the page is made from; each kind is recognised by what a folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from spikeport.report.artefacts import energy, evaluation, lowered, training
from spikeport.report.artefacts.energy import EnergyArtefact
from spikeport.report.artefacts.evaluation import EvaluationArtefact
from spikeport.report.artefacts.lowered import LoweredArtefact
from spikeport.report.artefacts.training import TrainingArtefact

Artefact: TypeAlias = EnergyArtefact | EvaluationArtefact | LoweredArtefact | TrainingArtefact

FINDERS: tuple[Callable[[Path], Artefact | None], ...] = (
    energy.find,
    evaluation.find,
    lowered.find,
    training.find,
)

__all__ = [
    "FINDERS",
    "Artefact",
    "EnergyArtefact",
    "EvaluationArtefact",
    "LoweredArtefact",
    "TrainingArtefact",
]
