"""Ways in which a process of Lava's runtime can fail, and what must be told about each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WORKER = """
import os, signal, subprocess, sys, threading, time
from spikeport.targets.lava.shim import import_lava
import_lava()
from lava.magma.runtime.runtime_services.runtime_service import LoihiPyRuntimeService
from spikeport.targets.lava.processes.fast_conv import FastConvModel
from spikeport.targets.lava.processes.max_pool import MaxPoolModel
from spikeport.targets.lava.processes.sink import SinkModel
from spikeport.targets.lava.processes.source import SourceModel

{patch}

from spikeport.targets.lava.worker import main
os._exit(main(sys.argv[1:]))
"""

IN_POOL = """
def compute(self, value):
    {body}
MaxPoolModel.compute = compute
"""

IN_POOLS_START = """
def start(self, params):
    {body}
MaxPoolModel.__init__ = start
"""

UNPICKLABLE = """
class Odd(Exception):
    def __init__(self):
        super().__init__("holds a lock")
        self.lock = threading.Lock()
"""

UNREADABLE = """
class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")
"""

LATE = """
plain = SinkModel.run_spk
def run_spk(self):
    if self.time_step - self.proc_params["first"] == len(self.kept) - 1:
        if self.proc_params["path"].endswith("sink_0.npy"):
            raise OSError(28, "No space left on device")
    plain(self)
SinkModel.run_spk = run_spk
"""

CONVOLUTION = """
plain = FastConvModel.convolve
def convolve(self, value):
    if len(self.weight) == 3:
        raise MemoryError("64 GiB wanted")
    return plain(self, value)
FastConvModel.convolve = convolve
"""

SERVICE = """
def run(self):
    raise RuntimeError("service out of order")
LoihiPyRuntimeService.run = run
"""

SOURCE = """
def run_spk(self):
    self.s_out.send("no array")
SourceModel.run_spk = run_spk
"""


def in_pool(body: str) -> str:
    return IN_POOL.format(body=body)


@dataclass(frozen=True)
class Fault:
    """Something that breaks, in the network `chain` of tests/targets.

    Attributes:
        patch: Python that breaks it, run before the worker.
        process: the Lava process that must be named, "" if none can be.
        why, details: what the error must say.
        deadline: of the run, seconds.
        quick: whether it stands for others like it where time is short.
    """

    patch: str
    process: str
    why: str
    details: str = ""
    deadline: float = 120.0
    quick: bool = False

    def worker(self, folder: Path) -> tuple[str, ...]:
        """Arguments of an interpreter that runs the broken worker."""
        script = folder / "faulty_worker.py"
        script.write_text(WORKER.format(patch=self.patch))
        return (str(script),)


HANGS = 8.0

FAULTS: dict[str, Fault] = {
    "exception in run_spk": Fault(
        in_pool("raise ValueError('broken on purpose')"), "pool",
        "raised ValueError: broken on purpose", "in compute", quick=True,
    ),
    "exception that cannot be pickled": Fault(
        UNPICKLABLE + in_pool("raise Odd"), "pool", "raised Odd: holds a lock", "in compute",
        quick=True,
    ),
    "exception that cannot be read back": Fault(
        UNREADABLE + in_pool("raise Odd(1, 2)"), "pool", "raised Odd: 1 2", "in compute",
    ),
    "sys.exit": Fault(in_pool("sys.exit(3)"), "pool", "raised SystemExit: 3", "in compute"),
    "os._exit": Fault(
        in_pool("print('last words', flush=True); os._exit(7)"), "pool",
        "died with exit status 7", "last words", quick=True,
    ),
    "SIGKILL": Fault(
        in_pool("os.kill(os.getpid(), signal.SIGKILL)"), "pool", "SIGKILL", quick=True,
    ),
    "segmentation fault": Fault(
        in_pool("os.kill(os.getpid(), signal.SIGSEGV)"), "pool", "SIGSEGV"
    ),
    "wrong shape sent": Fault(
        in_pool("return value"), "pool", "raised AssertionError", "Mismatch", quick=True,
    ),
    "no array sent": Fault(SOURCE, "input", "raised", "in run_spk"),
    "nothing sent": Fault(
        "def run_spk(self): self.s_in.recv()\nMaxPoolModel.run_spk = run_spk", "",
        "did not end in time", deadline=HANGS,
    ),
    "endless loop": Fault(
        in_pool("\n    while True: pass"), "", "did not end in time", deadline=HANGS, quick=True,
    ),
    "stopped process": Fault(
        in_pool("os.kill(os.getpid(), signal.SIGSTOP)"), "", "did not end in time", deadline=HANGS
    ),
    "exception in __init__": Fault(
        IN_POOLS_START.format(body="raise KeyError('no such option')"), "pool",
        "raised KeyError: 'no such option'", "in start", quick=True,
    ),
    "exception in __init__ that cannot be pickled": Fault(
        UNPICKLABLE + IN_POOLS_START.format(body="raise Odd"), "pool", "raised Odd", "in start"
    ),
    "exception in __init__ that cannot be read back": Fault(
        UNREADABLE + IN_POOLS_START.format(body="raise Odd(1, 2)"), "pool", "raised Odd", "in start"
    ),
    "os._exit in __init__": Fault(
        IN_POOLS_START.format(body="os._exit(9)"), "pool", "died with exit status 9", quick=True,
    ),
    "last step": Fault(LATE, "first_lif.sink", "No space left on device", "in run_spk"),
    "convolution": Fault(CONVOLUTION, "first", "raised MemoryError: 64 GiB wanted", "in convolve"),
    "runtime service": Fault(
        SERVICE, "runtime service", "raised RuntimeError: service out of order", "in run"
    ),
    "program killed": Fault(
        in_pool("os.kill(os.getppid(), signal.SIGKILL); time.sleep(3600)"), "",
        "ended with SIGKILL", quick=True,
    ),
    "program left behind": Fault(
        in_pool("subprocess.Popen(['sleep', '3600']); raise ValueError('after that')"), "pool",
        "raised ValueError: after that",
    ),
}  # fmt: skip
