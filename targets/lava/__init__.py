"""Lava: lowering to fixed point, integer executor, runs on Lava, parity.

Importing this package does not import Lava, which only the runs need; what few use (slayer, netx,
fine-tuning) is imported on first use.
"""

from typing import TYPE_CHECKING

from spikeport.convert.check import Severity
from spikeport.core.lazy import lazy
from spikeport.targets.lava.artefact import LavaArtefact, lower
from spikeport.targets.lava.check import check
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.executor import IntegerExecutor
from spikeport.targets.lava.quantise import LoweringOptions, QuantisationReport
from spikeport.targets.lava.retime import Schedule, retime
from spikeport.targets.lava.run import LavaExecutor, run_in_process
from spikeport.targets.lava.runtime import run_on_lava

if TYPE_CHECKING:
    from spikeport.targets.lava.netx import (
        NetFile,
        check_net,
        run_net,
        save_net,
        with_whole_biases,
    )
    from spikeport.targets.lava.qat import QatNetwork, to_qat
    from spikeport.targets.lava.slayer import SlayerNetwork, run_on_slayer, to_slayer

_PLACES = {
    "NetFile": "netx",
    "QatNetwork": "qat",
    "SlayerNetwork": "slayer",
    "check_net": "netx",
    "run_net": "netx",
    "run_on_slayer": "slayer",
    "save_net": "netx",
    "to_qat": "qat",
    "to_slayer": "slayer",
    "with_whole_biases": "netx",
}

__all__ = [
    "IntegerExecutor",
    "LavaArtefact",
    "LavaExecutor",
    "LavaRunError",
    "LoweringOptions",
    "NetFile",
    "QatNetwork",
    "QuantisationReport",
    "Schedule",
    "Severity",
    "SlayerNetwork",
    "check",
    "check_net",
    "lower",
    "retime",
    "run_in_process",
    "run_net",
    "run_on_lava",
    "run_on_slayer",
    "save_net",
    "to_qat",
    "to_slayer",
    "with_whole_biases",
]

__getattr__ = lazy(__name__, _PLACES)
