"""Each kernel of the integer executor against whole numbers, and when it must not be chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    Add,
    Conv,
    Delay,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Permute,
    RepeatTime,
    Reshape,
    Sum,
)
from spikeport.core.native import CompileError
from spikeport.targets.lava import IntegerExecutor
from spikeport.targets.lava.kernels import floating, int8_conv, neuron, plan
from spikeport.targets.lava.kernels.base import Edge
from spikeport.targets.lava.ops import LavaAvgPool, LavaLIF, LavaMean, LavaShift
from spikeport.targets.lava.quantise.bounds import Interval

needs_compiler = pytest.mark.skipif(neuron._function() is None, reason="no C compiler")
needs_vectors = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="no such processor"
)


def edge(shape, low, high, dtype=torch.float32):
    ends = (torch.full(shape, float(end), dtype=torch.float64) for end in (low, high))
    return Edge(dtype, Interval(*ends))


def counts(shape, high, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, high + 1, shape, generator=random)


# -- neurons ------------------------------------------------------------------------------------


def lif(du=4095, dv=2048, vth=500, bias=None, bias_exp=6):
    return LavaLIF(du=du, dv=dv, vth=vth, bias_mant=bias, bias_exp=bias_exp)


def by_steps(op, currents):
    """The op itself, in int64."""
    currents, state = currents.to(torch.int64), op.initial(currents[0].to(torch.int64))
    spikes = []
    for x in currents:
        state, fired = op.step(state, x)
        spikes.append(fired)
    return torch.stack(spikes)


def currents(shape, largest, seed=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(-largest, largest + 1, shape, generator=random)
    # Small ones among them, so that membranes also stay below the threshold.
    return torch.where(torch.rand(shape, generator=random) < 0.5, x, x % 1001)


LAYOUTS = {
    "as torch": lambda x: x,
    "channels last": lambda x: x.movedim(2, -1).contiguous().movedim(-1, 2),
    "columns first": lambda x: x.transpose(-1, -2).contiguous().transpose(-1, -2),
    "samples inside": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    "every second step": lambda x: torch.stack([x, x], 1).flatten(0, 1)[::2],
    "a slice": lambda x: torch.nn.functional.pad(x, (0, 3))[..., :-3],
}


@needs_compiler
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("per", ["nothing", "channel", "column", "neuron"])
@pytest.mark.parametrize("channels", [3, 700])
def test_layouts_of_neurons(layout, per, channels):
    shape = (channels, 4, 5)
    forms = {"nothing": None, "channel": (channels, 1, 1), "column": (5,), "neuron": shape}
    form = forms[per]
    random = torch.Generator().manual_seed(1)
    draw = {"generator": random, "dtype": torch.int32}
    bias = None if form is None else torch.randint(-4000, 4000, form, **draw)
    op = lif(bias=bias)
    kernel = neuron.fused_neuron(op, (edge(shape, -5000, 5000),))
    x = currents((4, 3, *shape), 5000)
    spikes = kernel.run(LAYOUTS[layout](x.float()))
    assert torch.equal(spikes, by_steps(op, x))
    assert 0.05 < float(spikes.double().mean()) < 0.95


@needs_compiler
@pytest.mark.parametrize("dv", [0, 2048, 3072, 4096, 1, 1000, 4095])
@pytest.mark.parametrize("largest", [600, 2**17 - 1, 2**17 + 70, 2**24 - 1])
@pytest.mark.parametrize("vth", [1, 500, 2**17 - 1])
def test_wrapping_and_saturation(dv, largest, vth):
    op = lif(dv=dv, vth=vth, bias=torch.tensor([[-32768], [0], [32767]]), bias_exp=7)
    x = currents((6, 2, 3, 40), largest, seed=dv)
    kernel = neuron.fused_neuron(op, (edge((3, 40), -largest, largest),))
    assert torch.equal(kernel.run(x.float()), by_steps(op, x))


@needs_compiler
@pytest.mark.parametrize("du", [0, 1, 1000, 2047, 4094])
@pytest.mark.parametrize("dv", [0, 2048, 1000])
def test_synaptic_current_with_memory(du, dv):
    op, largest = lif(du=du, dv=dv), 2**17 - 1
    x = currents((12, 2, 3, 40), largest, seed=du)
    kernel = neuron.fused_neuron(op, (edge((3, 40), -largest, largest),))
    assert torch.equal(kernel.run(x.double()), by_steps(op, x))
    # One wrap would not bring larger ones back.
    assert neuron.fused_neuron(op, (edge((3, 40), 0, largest + 1),)) is None


@needs_compiler
@pytest.mark.parametrize("form", [(3, 1, 1), (3, 4, 5)])
def test_thresholds_of_their_own(form):
    thresholds = torch.arange(1, 1 + torch.Size(form).numel(), dtype=torch.int32).reshape(form)
    op = replace(lif(bias=torch.tensor([[[7]], [[-9]], [[0]]])), thresholds=thresholds * 50)
    x = currents((4, 2, 3, 4, 5), 9000)
    kernel = neuron.fused_neuron(op, (edge((3, 4, 5), -9000, 9000),))
    for layout in LAYOUTS.values():
        assert torch.equal(kernel.run(layout(x.float())), by_steps(op, x))


@needs_compiler
def test_shifts_static_currents_and_no_samples():
    op = lif()
    kernel = neuron.fused_neuron(op, (edge((3, 4), -1000, 1000),))
    x = currents((1, 2, 3, 4), 900).expand(5, 2, 3, 4)
    assert torch.equal(kernel.run(x.float()), by_steps(op, x))
    assert torch.equal(kernel.shifted(4).run(x.float()), by_steps(op, x * 16))
    assert kernel.run(torch.zeros(5, 0, 3, 4)).shape == (5, 0, 3, 4)


@needs_compiler
def test_threads_do_not_change_neurons():
    op, before = lif(bias=torch.arange(64).reshape(64, 1, 1)), torch.get_num_threads()
    kernel = neuron.fused_neuron(op, (edge((64, 40, 40), -5000, 5000),))
    x, found = LAYOUTS["channels last"](currents((4, 3, 64, 40, 40), 5000).float()), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(kernel.run(x))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_neurons_without_a_proof_run_step_by_step():
    for op, largest in ((lif(), 2**24), (lif(bias=torch.tensor([2**23])), 5), (lif(dv=-1), 5)):
        assert neuron.fused_neuron(op, (edge((3,), 0, largest),)) is None
    for largest, works_in in ((2**17 - 1, torch.float32), (2**17, torch.float64)):
        x = currents((4, 2, 3), largest)
        kernel = neuron.stepped_neuron(lif(), (edge((3,), -largest, largest),))
        assert kernel.works_in is works_in and torch.equal(kernel.run(x), by_steps(lif(), x))


@needs_compiler
def test_a_neuron_that_computes_otherwise_is_not_used(monkeypatch):
    wrong = lambda self, *inputs: 1 - spikes(self, *inputs)  # noqa: E731
    spikes = neuron.FusedNeuron.run
    monkeypatch.setattr(neuron.FusedNeuron, "run", wrong)
    assert neuron.fused_neuron(lif(), (edge((3,), 0, 5000),)) is None


def test_without_a_compiler_neurons_run_step_by_step(monkeypatch, max_former, caplog):
    def fails(*_):
        raise CompileError("the disk is on fire.", where="cc")

    frames = max_former.frames
    graph = max_former.artefact.graph
    want = IntegerExecutor(graph).run(frames)
    monkeypatch.setattr(neuron, "load_library", fails)
    neuron._function.cache_clear()
    try:
        executor = IntegerExecutor(graph)
        assert "the disk is on fire" in caplog.text and len(caplog.records) == 1
    finally:
        neuron._function.cache_clear()
    rows = {row.node: row.kernel for row in executor.kernels}
    assert rows["fc_lif"].endswith("step by step")
    assert torch.equal(executor.run(frames), want)


# -- convolutions -------------------------------------------------------------------------------


def weights(shape, bits=8, seed=0):
    """8-bit numbers times a power of two per channel; one channel of zeros, one of extremes."""
    random = torch.Generator().manual_seed(seed)
    top = 2 ** (bits - 1) - 1
    w = torch.randint(-top, top + 1, shape, generator=random)
    w[0], w[-1] = 0, -top
    exponents = torch.randint(0, 6, (shape[0],), generator=random)
    return (w << exponents.reshape(-1, *[1] * (len(shape) - 1))).to(torch.int32)


def conv(weight, stride=1, padding=0, dilation=1, groups=1):
    axes = weight.ndim - 2
    return Conv(weight, None, (stride,) * axes, (padding,) * axes, (dilation,) * axes, groups)


@needs_vectors
@pytest.mark.parametrize("kernel", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("high", [1, 129])
def test_int8_convolutions(kernel, stride, padding, groups, high):
    op = conv(weights((18, 6 // groups, kernel, kernel)), stride, padding, 1, groups)
    made = int8_conv.int8_conv(op, (edge((6, 9, 8), 0, high, torch.uint8),))
    x = counts((2, 3, 6, 9, 8), high)
    y = made.run(x.to(torch.uint8))
    expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
    assert y.dtype is torch.float32 and torch.equal(y.flatten(0, 1).double(), expected)


@needs_vectors
@pytest.mark.parametrize("channels", [16, 64, 400])
@pytest.mark.parametrize("layout", ["as torch", "channels last"])
def test_wide_int8_convolutions(channels, layout):
    op = conv(weights((channels, channels, 3, 3)), padding=2, dilation=2)
    made = int8_conv.int8_conv(op, (edge((channels, 6, 6), 0, 1, torch.uint8),))
    for samples in (1, 2, 5, 2, 3, 4, 6):  # more shapes than weights are kept for
        x = LAYOUTS[layout](counts((2, samples, channels, 6, 6), 1))
        expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
        assert torch.equal(made.run(x.to(torch.uint8)).flatten(0, 1).double(), expected)


@needs_vectors
def test_int8_convolutions_over_one_axis():
    op = conv(weights((32, 48, 3)), stride=2, padding=1)
    made = int8_conv.int8_conv(op, (edge((48, 16), 0, 1, torch.uint8),))
    x = counts((2, 3, 48, 16), 1)
    expected = op.cast(torch.float64).apply(x.flatten(0, 1).double())
    assert torch.equal(made.run(x.to(torch.uint8)).flatten(0, 1).double(), expected)


def test_mantissas():
    w = torch.tensor([[[3 * 64, -64]], [[0, 0]], [[-128, 127]], [[-(2**30), 2**30]]])
    q, e = int8_conv.mantissas(w)
    assert e.tolist() == [6, 0, 0, 30] and q.flatten().tolist() == [3, -1, 0, 0, -128, 127, -1, 1]


@needs_vectors
@pytest.mark.parametrize(
    ("weight", "low", "high", "dtype"),
    [
        (torch.full((4, 2, 1, 1), 127), 0, 130, torch.uint8),  # pairs would saturate
        (torch.full((4, 2, 1, 1), 129), 0, 1, torch.uint8),  # 9 bits
        (torch.full((4, 2, 1, 1), 1), -1, 1, torch.float32),  # signs
        (torch.full((4, 2**15, 3, 3), 127), 0, 1, torch.uint8),  # sums of 2^24 and more
        (torch.full((4, 2, 1, 1), 2**22), 0, 2, torch.uint8),  # results of 2^24
    ],
)
def test_int8_is_not_chosen_without_proof(weight, low, high, dtype):
    assert (
        int8_conv.int8_conv(conv(weight), (edge((weight.shape[1], 3, 3), low, high, dtype),))
        is None
    )


@needs_vectors
@pytest.mark.parametrize("broken", ["scales", "torch"])
def test_an_int8_kernel_that_computes_otherwise_is_not_used(monkeypatch, broken):
    op, source = conv(weights((4, 2, 3, 3))), (edge((2, 5, 5), 0, 1, torch.uint8),)
    assert int8_conv.int8_conv(op, source) is not None
    made = int8_conv._made

    def wrong(*args):
        kernel = made(*args)
        return replace(kernel, scales=kernel.scales * 2)

    def gone(self, x):
        raise AttributeError("'_OpNamespace' 'onednn' object has no attribute 'qconv_prepack'")

    if broken == "scales":
        monkeypatch.setattr(int8_conv, "_made", wrong)
    else:
        monkeypatch.setattr(int8_conv.Int8Conv, "_convolve", gone)
    assert int8_conv.int8_conv(op, source) is None


OLDER = """
import os, torch
from test_kernels import conv, counts, edge, weights
from spikeport.targets.lava import IntegerExecutor
from spikeport.targets.lava.kernels import int8_conv
for groups, high in ((1, 1), (1, 130), (1, 129), (64, 129), (2, 7)):
    w, _ = int8_conv.mantissas(weights((64, 64 // groups, 3, 3)))
    op = conv(w, padding=1, groups=groups)
    made = int8_conv.int8_conv(op, (edge((64, 8, 8), 0, high, torch.uint8),))
    assert (made is None) == (high > 129), (groups, high)
    if made is not None:
        x = counts((1, 4, 64, 8, 8), high)
        x[:, 0] = high
        y = made.run(x.to(torch.uint8))[0]
        assert torch.equal(y.double(), op.cast(torch.float64).apply(x[0].double())), (groups, high)
print("equal")
"""


@needs_vectors
@pytest.mark.parametrize("processor", ["SSE41", "AVX2", "AVX512_CORE"])
def test_older_processors_give_the_same_sums(processor):
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, "-c", OLDER],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(here.parents[2]), str(here.parent))),
            "ONEDNN_MAX_CPU_ISA": processor,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "equal", done.stderr


# -- plans --------------------------------------------------------------------------------------


def graph_of(*steps, shape=(4, 6, 6), per_step=True):
    """A chain of ops; a name in place of an op reads that earlier node as well."""
    graph = Graph()
    graph.add("input", Input(shape, Domain.GRADED, per_step=per_step))
    last = "input"
    for name, op, *others in steps:
        last = graph.add(name, op, (last, *others)).name
    graph.outputs = (last,)
    return graph


def agrees(graph, high, low=0, steps=3):
    planned = plan(graph, low, high)
    shape = (2, *graph.input.shape)
    shape = (steps, *shape) if graph.input.per_step else shape
    frames = counts(shape, high - low) + low
    wanted, got = {}, {}
    Interpreter(graph, torch.float64).run(
        frames, lambda node, value: wanted.update({node.name: value.clone()})
    )
    out = planned.run(frames, lambda node, value: got.update({node.name: value.double()}))
    assert all(torch.equal(got[name], value) for name, value in wanted.items())
    assert torch.equal(planned.run(frames), out)
    return {row.node: row.kernel for row in planned.choices}


@pytest.mark.parametrize(
    ("bits", "high", "kernel"),
    [
        (8, 1, "int8 convolution"),
        (8, 300, "float32"),
        (12, 1, "float32"),
        (16, 200, "float32"),
        (16, 1000, "float64"),
    ],
)
@needs_vectors
def test_convolutions_by_what_is_proven(bits, high, kernel):
    graph = graph_of(("conv", conv(weights((8, 4, 3, 3), bits), padding=1)), ("lif", lif()))
    if bits == 16 and kernel == "float32":
        graph = graph_of(("conv", conv(torch.full((8, 1, 1, 1), 2**15 - 1), groups=4)))
    rows = agrees(graph, high)
    assert rows["conv"] == kernel


def test_all_kinds_of_nodes():
    graph = graph_of(
        ("stem", conv(weights((8, 4, 3, 3)), padding=1)),
        ("pool", MaxPool((3, 3), (2, 2), (1, 1))),
        ("lif", lif(bias=torch.arange(8).reshape(8, 1, 1))),
        ("spike_pool", MaxPool((2, 2), (1, 1), (0, 0))),
        ("twice", Add(), "spike_pool"),
        ("masked", Multiply(), "spike_pool"),
        ("tokens", Reshape((2, 4, 4))),
        ("turned", Permute((0, 2, 1))),
        ("product", MatMul(), "tokens"),
        ("shift", LavaShift(6)),
        ("second", lif(vth=100)),
        ("linear", Linear(weights((3, 4)), None)),
        ("mean", LavaMean((1,), True)),
        ("sum", Sum((1, 2))),
        ("third", lif(vth=3)),
    )
    rows = agrees(graph, 3)
    assert rows["spike_pool"] == "any type" and rows["product"] == "float32"


def test_signed_and_static_input():
    graph = graph_of(
        ("stem", conv(weights((8, 4, 3, 3)), padding=1)),
        ("repeat", RepeatTime(3)),
        ("lif", lif()),
        ("next", conv(weights((8, 8, 1, 1)))),
        ("add", Add(), "repeat"),
        ("mixed", Add(), "stem"),
        ("last", lif()),
        per_step=False,
    )
    assert agrees(graph, 100, low=-100)["stem"] == "float32"


def test_a_sum_of_shifted_counts_keeps_the_shift():
    """The neuron shifts by itself; whoever else reads the shifted counts gets them as well."""
    graph = graph_of(
        ("lif", lif(vth=1)),
        ("shift", LavaShift(3)),
        ("next", lif(vth=9)),
        ("after", Add(), "shift"),
        ("last", lif()),
    )
    agrees(graph, 9)


@pytest.mark.parametrize("divide", [True, False])
@pytest.mark.parametrize(("high", "kernel"), [(100, "float32"), (2**22, "float64")])
def test_average_pools(divide, high, kernel):
    pool = LavaAvgPool((3, 3), (2, 2), (1, 1), count_padding=False, divide=divide)
    graph = graph_of(("pool", pool), ("less", LavaShift(-3)), ("lif", lif()))
    assert agrees(graph, high)["pool"] == kernel


def test_mean_beyond_float32():
    graph = graph_of(("big", LavaShift(14)), ("mean", LavaMean((1, 2))), shape=(2, 4, 4))
    assert agrees(graph, 255)["mean"] == "float64"


def test_feedback_has_no_plan():
    graph = Graph()
    graph.add("input", Input((2,), Domain.SPIKE, per_step=True))
    graph.add("before", Delay("lif", (2,), Domain.SPIKE))
    graph.add("sum", Add(), ("input", "before"))
    graph.add("lif", lif(), ("sum",))
    graph.outputs = ("lif",)
    assert plan(graph, 0, 1) is None


def test_bytes_are_pooled_in_every_layout() -> None:
    """Torch refuses bytes with the channels last from 256 positions on."""
    spikes = (torch.rand(2, 3, 4, 20, 30, generator=torch.Generator().manual_seed(0)) < 0.2).byte()
    pool = MaxPool((3, 3), (2, 2), (1, 1))
    kernel = floating.pooled(pool, (edge((4, 20, 30), 0, 1),))
    want = pool.apply(spikes.flatten(0, 1).double()).unflatten(0, (2, 3))
    for layout in ("as it is", "channels last"):
        x = spikes if layout == "as it is" else LAYOUTS[layout](spikes)
        got = kernel.run(x)
        assert got.dtype is torch.uint8 and torch.equal(got.double(), want), layout
