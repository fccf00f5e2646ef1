"""Ways to put the gradient of a batch into the weights."""

from spikeport.train.engines.base import Engine, StepResult
from spikeport.train.engines.devices import DeviceEngine
from spikeport.train.engines.opening import open_engine
from spikeport.train.engines.threads import ThreadEngine

__all__ = ["DeviceEngine", "Engine", "StepResult", "ThreadEngine", "open_engine"]
