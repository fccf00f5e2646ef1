"""Lava: lowering to fixed point, integer executor, runs on Lava, parity.

Importing this package does not import Lava, which only the runs need.
"""

from spikeport.convert.check import Severity
from spikeport.targets.lava.artefact import LavaArtefact, lower
from spikeport.targets.lava.check import check
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.executor import IntegerExecutor
from spikeport.targets.lava.quantise import LoweringOptions, QuantisationReport
from spikeport.targets.lava.retime import Schedule, retime
from spikeport.targets.lava.run import LavaExecutor, run_in_process
from spikeport.targets.lava.runtime import run_on_lava

__all__ = [
    "IntegerExecutor",
    "LavaArtefact",
    "LavaExecutor",
    "LavaRunError",
    "LoweringOptions",
    "QuantisationReport",
    "Schedule",
    "Severity",
    "check",
    "lower",
    "retime",
    "run_in_process",
    "run_on_lava",
]
