"""Neurons of the integer executor against whole numbers, and when they must not be fused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from kernel_cases import LAYOUTS, edge, lif, needs_compiler

from spikeport.core.native import CompileError
from spikeport.targets.lava import IntegerExecutor
from spikeport.targets.lava.kernels import neuron


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
