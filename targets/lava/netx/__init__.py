"""Sequential networks as `.net` files of lava-dl's netx, which reads them onto Lava.

Importing this package imports neither Lava nor h5py.
"""

from spikeport.targets.lava.netx.api import NetFile, save_net
from spikeport.targets.lava.netx.biases import with_whole_biases
from spikeport.targets.lava.netx.check import check_net
from spikeport.targets.lava.netx.playback import run_net

__all__ = ["NetFile", "check_net", "run_net", "save_net", "with_whole_biases"]
