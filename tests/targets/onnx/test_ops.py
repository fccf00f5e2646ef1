"""Every op in ONNX computes what the interpreter computes, in both files and both types."""

from __future__ import annotations

import pytest
import torch

from spikeport.convert import Graph, Interpreter
from spikeport.convert.domain import Domain
from spikeport.convert.ops import (
    IF,
    LIF,
    OPS,
    AdaptiveAvgPool,
    Add,
    AddConstant,
    AddPerStep,
    AvgPool,
    BatchNorm,
    ChannelNeuron,
    Complement,
    Concat,
    Conv,
    Delay,
    EulerNeuron,
    Fourier,
    Input,
    Integrator,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    MeanTime,
    Multiply,
    MultiplyConstant,
    Op,
    ParametricLIF,
    Permute,
    Reshape,
    Scale,
    Slice,
    Subtract,
    Sum,
    SumPool,
    SumTime,
    Threshold,
    Tile,
    ZeroPad,
)
from spikeport.targets.onnx import OnnxExecutor, lower
from spikeport.targets.onnx.lowerings import LOWERINGS

STEPS, BATCH = 3, 2


def values(*shape: int, seed: int = 0) -> torch.Tensor:
    made = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made * 1.5


def conv(weight: tuple[int, ...], *, bias: bool = True, stride=1, pad=0, dilation=1, groups=1):
    axes = len(weight) - 2
    given = values(weight[0], seed=1) if bias else None
    return Conv(values(*weight), given, *((v,) * axes for v in (stride, pad, dilation)), groups)


CHW, CL = (4, 7, 6), (4, 9)
CASES: dict[str, tuple[Op, tuple[int, ...]]] = {
    "conv": (conv((5, 4, 3, 3), pad=1), CHW),
    "conv bare": (conv((5, 4, 1, 1), bias=False), CHW),
    "conv strided": (conv((6, 4, 3, 2), stride=2), CHW),
    "conv dilated": (conv((6, 4, 3, 3), pad=2, dilation=2), CHW),
    "conv grouped": (conv((6, 2, 3, 3), pad=1, groups=2), CHW),
    "conv depthwise": (conv((8, 1, 5, 5), pad=2, groups=4), CHW),
    "conv uneven": (Conv(values(3, 4, 3, 2), None, (1, 2), (0, 1), (2, 1)), CHW),
    "conv 1d": (conv((5, 4, 3), pad=1, stride=2), CL),
    "conv 1d grouped": (conv((4, 2, 3), dilation=2, groups=2), CL),
    "linear": (Linear(values(5, 6), values(5)), CHW),
    "linear bare": (Linear(values(5, 7), None), (7,)),
    "norm": (BatchNorm(values(4), values(4).abs(), values(4), values(4), 1e-5), CHW),
    "norm of vectors": (BatchNorm(values(7), values(7).abs(), None, None, 1e-3), (7,)),
    "max pool": (MaxPool((3, 2), (2, 1), (1, 1)), CHW),
    "max pool 1d": (MaxPool((3,), (2,), (1,)), CL),
    "avg pool": (AvgPool((3, 3), (2, 2), (1, 1), True), CHW),
    "avg pool uncounted": (AvgPool((3, 2), (2, 1), (1, 1), False), CHW),
    "avg pool 1d": (AvgPool((4,), (3,), (2,), False), CL),
    "adaptive one": (AdaptiveAvgPool((7, 6), (1, 1)), CHW),
    "adaptive even": (AdaptiveAvgPool((7, 6), (7, 3)), CHW),
    "adaptive uneven": (AdaptiveAvgPool((7, 6), (3, 4)), CHW),
    "adaptive larger": (AdaptiveAvgPool((7, 6), (8, 9)), CHW),
    "adaptive 1d": (AdaptiveAvgPool((9,), (4,)), CL),
    "adaptive 1d one": (AdaptiveAvgPool((9,), (1,)), CL),
    "mean": (Mean((1, 2)), CHW),
    "mean kept": (Mean((0,), keep=True), CHW),
    "sum": (Sum((0, 2)), CHW),
    "sum kept": (Sum((1,), keep=True), CHW),
    "add": (Add(), CHW),
    "subtract": (Subtract(), CHW),
    "multiply": (Multiply(), CHW),
    "matmul": (MatMul(), (4, 5, 5)),
    "concat": (Concat(1), CHW),
    "scale": (Scale(0.3, 7.0), CHW),
    "scale of one": (Scale(), CHW),
    "complement": (Complement(), CHW),
    "constant": (AddConstant(values(4, 1, 1)), CHW),
    "factor": (MultiplyConstant(values(6)), CHW),
    "per step": (AddPerStep(values(STEPS, 4, 1, 6)), CHW),
    "reshape": (Reshape((6, 28)), CHW),
    "permute": (Permute((2, 0, 1)), CHW),
    "slice": (Slice(1, 1, 7, 2), CHW),
    "tile": (Tile((2, 1, 3)), CHW),
    "zero pad": (ZeroPad((0, 1, 2), (1, 0, 3)), CHW),
    "fourier": (Fourier((1,)), CHW),
    "fourier last": (Fourier((2,)), CHW),
    "fourier 2d": (Fourier((0, 2)), CHW),
    "fourier 3d": (Fourier((0, 1, 2)), CHW),
    "if": (IF(1.0, 0.0), CHW),
    "if soft": (IF(0.7, None), CHW),
    "lif": (LIF(2.0, True, 1.0, 0.0), CHW),
    "lif rest": (LIF(1.7, True, 0.6, -0.3), CHW),
    "lif undecayed": (LIF(3.0, False, 0.5, 0.2), CHW),
    "lif soft": (LIF(3.3, False, 0.5, None), CHW),
    "plif": (ParametricLIF(values(), True, 0.5, 0.0), CHW),
    "plif undecayed": (ParametricLIF(values(), False, 0.5, None), CHW),
    "channels": (ChannelNeuron(None, None, True, values(4, 1, 1).abs(), 0.0), CHW),
    "channels tau": (ChannelNeuron(values(4, 1, 1).exp(), None, True, values(6).abs(), None), CHW),
    "channels weight": (ChannelNeuron(None, values(4, 7, 1), False, values(1).abs(), 0.1), CHW),
    "euler": (
        EulerNeuron(
            values(4, 1, 1).exp() + 1,
            values(6),
            values(1),
            values(7, 1).abs(),
            values(4, 1, 1) - 1,
            True,
        ),
        CHW,
    ),
    "euler at": (EulerNeuron(None, values(1), values(1), values(1).abs(), values(1), False), CHW),
    "integrator": (Integrator(values(4, 1, 1).exp() + 1, values(6), values(1)), CHW),
    "integrator lossless": (Integrator(None, values(6), values(1)), CHW),
    "threshold": (Threshold(values(4, 1, 1), True), CHW),
    "threshold at": (Threshold(torch.zeros(1), False), CHW),
    "sum pool": (SumPool((3, 2), (2, 1), (1, 1)), CHW),
    "sum pool 1d": (SumPool((4,), (3,), (2,)), CL),
    "mean time": (MeanTime(), CHW),
    "sum time": (SumTime(), CHW),
}


def graph_of(op: Op, shape: tuple[int, ...]) -> Graph:
    graph = Graph()
    graph.add("input", Input(shape, Domain.REAL, True))
    sources = ["input"] * (2 if op.arity is None else op.arity)
    if len(sources) == 2:
        graph.add("other", Scale(-0.5), ["input"])
        sources[1] = "other"
    graph.add("op", op, sources, path="net.op")
    graph.outputs = ("op",)
    return graph


def test_every_op_has_a_lowering_and_a_case() -> None:
    own = {kind for kind, op in OPS.items() if op.__module__.startswith("spikeport.convert.")}
    assert set(LOWERINGS) == own - {"input"}
    assert {op.kind for op, _ in CASES.values()} == own - {"input", "delay", "repeat_time"}


@pytest.mark.parametrize("case", CASES)
def test_an_op_is_what_the_interpreter_says(case: str) -> None:
    op, shape = CASES[case]
    graph, frames = graph_of(op, shape), values(STEPS, BATCH, *shape, seed=5)
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-13)):
        want = Interpreter(graph, getattr(torch, dtype)).run(frames)
        lowered = lower(graph, dtype=dtype, steps=STEPS)
        for backend in lowered.backends:
            got = lowered.run(frames, backend=backend).outputs
            assert got.shape == want.shape and got.dtype == want.dtype
            assert torch.allclose(got, want, rtol=tolerance, atol=tolerance), (dtype, backend)


@pytest.mark.parametrize("case", ["avg pool", "avg pool 1d", "adaptive uneven", "adaptive one"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_averages_of_counts_are_rounded_as_pytorch_rounds_them(case: str, dtype: str) -> None:
    """A neuron behind them compares with its threshold exactly."""
    op, shape = CASES[case]
    graph, frames = graph_of(op, shape), values(STEPS, 8, *shape, seed=6).mul(4).round()
    want = Interpreter(graph, getattr(torch, dtype)).run(frames)
    assert torch.equal(lower(graph, dtype=dtype, steps=STEPS).run(frames).outputs, want)


def looped(steps: int) -> Graph:
    """conv(x + delayed norm of spikes), constants per step inside the loop, a delay outside."""
    graph = Graph()
    graph.add("input", Input((2, 4, 4), Domain.REAL, True))
    graph.add("back", Delay("norm", (2, 4, 4), Domain.REAL))
    graph.add("sum", Add(), ["input", "back"])
    graph.add("timed", AddPerStep(values(steps, 2, 1, 1)), ["sum"])
    graph.add("lif", LIF(2.0, True, 0.4, None), ["timed"], path="net.lif")
    norm = BatchNorm(values(2), values(2).abs(), None, values(2, seed=3), 1e-5)
    graph.add("norm", norm, ["lif"])
    graph.add("late", Delay("lif", (2, 4, 4), Domain.SPIKE))
    graph.add("both", Concat(0), ["lif", "late"])
    graph.add("mean", MeanTime(), ["both"])
    graph.add("back2", Delay("conv", (2, 4, 4), Domain.REAL))
    graph.add("conv", conv((2, 2, 3, 3), pad=1), ["lif"])
    graph.add("shown", Sum((0, 1, 2)), ["back2"])
    graph.add("total", SumTime(), ["shown"])
    graph.add("flat", Sum((0, 1, 2)), ["mean"])
    graph.add("end", Add(), ["flat", "total"])
    graph.outputs = ("end",)
    return graph


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_loops_and_delays(steps: int) -> None:
    graph, frames = looped(steps), values(steps, 3, 2, 4, 4)
    for dtype, tolerance in (("float32", 1e-4), ("float64", 1e-12)):
        want = Interpreter(graph, getattr(torch, dtype)).run(frames)
        lowered = lower(graph, dtype=dtype)
        assert lowered.report.steps == steps
        for backend in lowered.backends:
            got = lowered.run(frames, backend=backend).outputs
            assert torch.allclose(got, want, rtol=tolerance, atol=tolerance), backend


def test_the_executor_shows_every_value() -> None:
    graph, frames = looped(4), values(4, 2, 2, 4, 4)
    shown: dict[str, dict[str, torch.Tensor]] = {}
    for executor in (Interpreter(graph, torch.float64), OnnxExecutor(graph, "float64")):
        kept = shown.setdefault(type(executor).__name__, {})
        executor.run(frames, lambda node, value, kept=kept: kept.update({node.name: value.clone()}))
    assert list(shown["OnnxExecutor"]) == [node.name for node in graph]
    for name, want in shown["Interpreter"].items():
        got = shown["OnnxExecutor"][name]
        assert got.shape == want.shape and torch.allclose(got, want, rtol=0, atol=1e-12), name


def test_nodes_may_have_any_names() -> None:
    """Names of states, parameters and inner values give way to those of nodes."""
    graph = Graph()
    graph.add("step", Input((2,), Domain.REAL, True))
    graph.add("lif", LIF(2.0, True, 0.4, 0.0), ["step"])
    graph.add("lif.v", Linear(values(2, 2), values(2)), ["lif"])
    graph.add("lif.v.weight", MeanTime(), ["lif.v"])
    graph.add("lif/sub@0", Scale(1.0, 1.0), ["lif.v.weight"])
    graph.add("scalar", Scale(1.0, 1.0), ["lif/sub@0"])
    graph.outputs = ("scalar",)
    frames = values(3, 2, 2)
    want = Interpreter(graph, torch.float64).run(frames)
    lowered = lower(graph, dtype="float64", steps=3)
    for backend in lowered.backends:
        run = lowered.run(frames, backend=backend, spikes=True)
        assert torch.allclose(run.outputs, want, rtol=0, atol=1e-13)
        assert list(run.spikes) == ["lif"]
