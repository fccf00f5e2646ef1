"""The reference: the float network itself, fast, on a CPU or GPU."""
from spikeport.targets.reference.executor import ReferenceExecutor
from spikeport.targets.reference.flips import Flips, flips
__all__ = ["Flips", "ReferenceExecutor", "flips"]
