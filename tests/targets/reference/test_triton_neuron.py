"""The GPU's neurons, interpreted on the CPU: the arithmetic of the interpreter, bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_places_in_memory_are_computed_in_64_bits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Steps times neurons of a large batch exceed 32 bits; compiled without a GPU, not run."""
    import triton
    import triton.language as tl
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from spikeport.targets.reference.kernels.triton_neuron import _emit

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    fixed = {"LEAK": 0.5, "THRESHOLD": 1.0, "RESET": 0.0, "CHARGE": 2, "DECAY": True}
    fixed |= {"SOFT": False, "REAL": tl.float32, "BLOCK": 1024}
    kinds = {"x": "*fp32", "spikes": "*fp32", "size": "i32", "x_step": "i32", "steps": "i32"}
    source = ASTSource(
        fn=_emit, signature=kinds | dict.fromkeys(fixed, "constexpr"), constexprs=fixed
    )
    made = triton.compile(
        source, target=GPUTarget("cuda", 80, 32), options={"enable_fp_fusion": False}
    )
    products = [line for line in made.asm["ttir"].splitlines() if "arith.muli" in line]
    assert products and all(": i64" in line for line in products), products
