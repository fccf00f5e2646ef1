"""Targets by name, without loading what they need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spikeport.core.errors import MissingPackageError, UnknownNameError
from spikeport.targets import TARGETS
from spikeport.targets.lava import run_in_process, run_on_lava, shim


def test_targets_are_registered(small_chain):
    assert set(TARGETS) == {"reference", "lava", "nir", "onnx"}
    assert TARGETS["lava"].missing() == TARGETS["reference"].missing() == ""
    frames = small_chain.frames
    executor = TARGETS["lava"].executor(small_chain.graph, lambda: frames)
    assert executor.run(frames).isfinite().all()
    with pytest.raises(UnknownNameError, match="lava"):
        TARGETS["lawa"]


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("spikeport.targets", ["torch", "lava.magma", "spikeport.targets.lava"]),
        ("spikeport.targets.lava", ["lava.magma", "spikingjelly"]),
        ("spikeport.targets.onnx", ["onnxruntime", "spikingjelly"]),
    ],
)
def test_importing_is_light(module, unwanted):
    code = f"import sys, {module}; print([m for m in {unwanted} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_lava_missing_is_told(monkeypatch, small_chain):
    def find(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(shim.importlib.util, "find_spec", find)
    assert "not installed" in TARGETS["lava"].missing()
    for run in (run_in_process, run_on_lava):
        with pytest.raises(MissingPackageError, match="uv sync"):
            run(small_chain.artefact.graph, small_chain.frames)


def test_windows_is_told(monkeypatch):
    monkeypatch.setattr(shim.sys, "platform", "win32")
    assert "Windows" in shim.lava_missing()


def test_start_method_of_the_program_is_left_alone():
    code = (
        "import multiprocessing as mp; mp.set_start_method('spawn');"
        "from spikeport.targets.lava.shim import import_lava; import_lava();"
        "import dataclasses, lava.proc.lif.process; print(mp.get_start_method())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "spawn"
