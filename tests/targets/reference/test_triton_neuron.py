"""The GPU's neurons, interpreted on the CPU: the arithmetic of the interpreter, bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton")

CODE = """
import torch
from spikeport.convert.ops import IF, LIF, ParametricLIF
from spikeport.targets.reference.kernels.neuron import dynamics_of
from spikeport.targets.reference.kernels.triton_neuron import emit

torch.manual_seed(0)
ops = [
    IF(0.7, None), IF(0.7, -0.1), LIF(2.0, True, 0.4, 0.0), LIF(1.7, True, 0.4, None),
    LIF(3.0, False, 1.0, -0.2), ParametricLIF(torch.tensor(0.3), True, 0.4, 0.0),
    ParametricLIF(torch.tensor(-0.3), False, 0.4, None),
]
fired = 0
for real in (torch.float32, torch.float64):
    for kind in (real, torch.bfloat16) if real == torch.float32 else (real,):
        x = (torch.randn(4, 3, 700, dtype=real) * 1.5).to(kind)
        for op in ops:
            cast = op.cast(real)
            state, expected = cast.initial(x[0].to(real)), []
            for current in x:
                state, spikes = cast.step(state, current.to(real))
                expected.append(spikes)
            dynamics, leak = dynamics_of(op, real)
            out = torch.empty_like(x)
            emit(dynamics, x, out, leak, real)
            assert torch.equal(out.to(real), torch.stack(expected)), (op, kind)
            emit(dynamics, x[:1].expand(4, 3, 700), out, leak, real)  # the same at each step
            own = x.clone()
            emit(dynamics, own, own, leak, real)  # in place
            assert torch.equal(own.to(real), torch.stack(expected)), (op, kind)
            fired += int(own.sum())
print(fired > 1000)
"""


def test_it_rounds_as_the_interpreter_does() -> None:
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "True"
