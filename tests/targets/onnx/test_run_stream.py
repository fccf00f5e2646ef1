"""The example streams without Spikeport and without PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeport import load_model
from spikeport.convert import Graph, Interpreter, trace
from spikeport.targets.onnx import lower

EXAMPLE = Path(__file__).parents[3] / "examples" / "run_stream.py"
BLOCKED = """
import runpy, sys
class Refuse:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("spikeport", "torch", "onnx"):
            raise ImportError(f"{name} must not be imported")
sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"spikeport", "torch", "onnx"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def graph() -> Graph:
    sample = torch.ones(2, 4, 2, 32, 32)
    return trace(load_model("max_former_digits"), sample, input_domain="graded")


def streamed(*args: object, cwd: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(EXAMPLE), *map(str, args)],
        cwd=cwd,
        env={"PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_scores_after_each_step_are_those_of_so_many_steps(graph: Graph, tmp_path: Path) -> None:
    lower(graph, class_names=[f"digit {i}" for i in range(10)]).save(tmp_path)
    frames = torch.poisson(
        torch.full((5, 2, 2, 32, 32), 0.2), generator=torch.Generator().manual_seed(1)
    )
    np.savez(tmp_path / "frames.npz", frames=frames.numpy().astype(np.uint8))
    lines = streamed("step.onnx", "frames.npz", cwd=tmp_path)
    assert len(lines) == 5 * 2
    for step in range(5):
        want = Interpreter(graph).run(frames[: step + 1])
        for sample in range(2):
            head, told = lines[2 * step + sample].rsplit("digit ", 1)
            best, *scores = told.split()
            assert head == f"step {step + 1}, sample {sample}: "
            assert int(best) == int(want[sample].argmax())
            assert np.allclose([float(s) for s in scores], want[sample].numpy(), atol=1e-3)


def test_random_events_without_a_file(graph: Graph, tmp_path: Path) -> None:
    lower(graph).save(tmp_path)
    lines = streamed("step.onnx", cwd=tmp_path)
    assert [line.split(":")[0] for line in lines] == [f"step {t}, sample 0" for t in range(1, 5)]
    assert "class" in lines[0]


def test_it_is_as_short_as_it_says() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 40
