"""How far a lowered network is from the model, stage by stage, layer by layer, step by step."""

from spikeport.targets.fidelity.heat_map import heat_map, save_heat_map
from spikeport.targets.fidelity.report import FidelityReport, StageFidelity
from spikeport.targets.fidelity.stages import against_float, fidelity

__all__ = [
    "FidelityReport",
    "StageFidelity",
    "against_float",
    "fidelity",
    "heat_map",
    "save_heat_map",
]
