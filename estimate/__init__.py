"""Exact counts and energy of spiking networks.

    report = estimate(Interpreter(graph), batches, energy="horowitz45-fp32")
    report.to_json("report.json")

Names are imported on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.estimate.capacity import CHIPS, CapacityReport, fit_chips
    from spikeport.estimate.columns import LAYER_COLUMNS
    from spikeport.estimate.coverage import Coverage
    from spikeport.estimate.energy import ENERGY_MODELS, EnergyModel, energy_model
    from spikeport.estimate.evaluation import (
        Accuracy,
        AccuracyResult,
        Evaluation,
        accuracy,
        evaluate,
    )
    from spikeport.estimate.export import neurobench_results
    from spikeport.estimate.paper import PAPER_MODES, PaperEstimate
    from spikeport.estimate.progress import Progress
    from spikeport.estimate.report import DataInfo, EnergyReport
    from spikeport.estimate.run import estimate
    from spikeport.estimate.spectrum import Spectra, SpectrumReport
    from spikeport.estimate.stats import Statistics, statistics
    from spikeport.estimate.tally import Ledger, NodePlan, Tally, Term, register_rule
    from spikeport.estimate.tally.rows import SampleFile

_WHERE = {
    "CHIPS": "capacity",
    "ENERGY_MODELS": "energy",
    "LAYER_COLUMNS": "columns",
    "PAPER_MODES": "paper",
    "Accuracy": "evaluation",
    "AccuracyResult": "evaluation",
    "CapacityReport": "capacity",
    "Coverage": "coverage",
    "DataInfo": "report",
    "EnergyModel": "energy",
    "EnergyReport": "report",
    "Evaluation": "evaluation",
    "Ledger": "tally",
    "NodePlan": "tally",
    "PaperEstimate": "paper",
    "Progress": "progress",
    "SampleFile": "tally.rows",
    "Spectra": "spectrum",
    "SpectrumReport": "spectrum",
    "Statistics": "stats",
    "Tally": "tally",
    "Term": "tally",
    "accuracy": "evaluation",
    "energy_model": "energy",
    "estimate": "run",
    "evaluate": "evaluation",
    "fit_chips": "capacity",
    "neurobench_results": "export",
    "register_rule": "tally",
    "statistics": "stats",
}

__all__ = [
    "CHIPS",
    "ENERGY_MODELS",
    "LAYER_COLUMNS",
    "PAPER_MODES",
    "Accuracy",
    "AccuracyResult",
    "CapacityReport",
    "Coverage",
    "DataInfo",
    "EnergyModel",
    "EnergyReport",
    "Evaluation",
    "Ledger",
    "NodePlan",
    "PaperEstimate",
    "Progress",
    "SampleFile",
    "Spectra",
    "SpectrumReport",
    "Statistics",
    "Tally",
    "Term",
    "accuracy",
    "energy_model",
    "estimate",
    "evaluate",
    "fit_chips",
    "neurobench_results",
    "register_rule",
    "statistics",
]

__getattr__ = lazy(__name__, _WHERE)
