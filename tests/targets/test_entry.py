"""Real-valued input: static images and frames of every step, in whole numbers of one unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lava_nets import Builder
from lowered_nets import disagreement, figures, lowered

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Add, Input, MaxPool, RepeatTime
from spikeport.core.errors import UsageError
from spikeport.targets.lava import lower, run_on_lava
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.frames import stepped_frames, whole_frames


def images(samples=3, side=6, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(samples, 3, side, side, generator=random, dtype=torch.float64)


def image_net(x, steps=4):
    """The stem sees the image once; what it makes of it is shown at each step."""
    b = Builder(x, image=True)
    stem = b.lif("stem_lif", b.op("shown", RepeatTime(steps), b.conv("stem", "input", 6, 3)))
    b.graph.outputs = (b.lif("head", b.conv("conv", stem, 6, 3)),)
    return b.graph


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_whole_numbers_of_an_image(bits):
    x = images()
    entry = Entry.images(float(x.abs().max()), bits)
    top = 2 ** (bits - 1) - 1
    whole = entry.whole(x, "input")
    assert torch.equal(whole, whole.round()) and int(whole.abs().max()) == top
    assert (whole * float(entry.unit) - x).abs().max() <= 0.5 * float(entry.unit) * (1 + 1e-9)
    assert Entry.from_json(entry.as_json()) == entry


@given(st.floats(1e-6, 1e6), st.integers(2, 16))
def test_units_survive_a_file(largest, bits):
    entry = Entry.images(largest, bits)
    assert Entry.from_json(entry.as_json()).unit == entry.unit == Fraction(float(entry.unit))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_calibration_frames_that_are_not_finite_are_refused(bad):
    x = images()
    graph = image_net(x)
    x[1, 2, 3, 4] = bad
    with pytest.raises(UsageError, match=r"calibration frames hold (nan|inf)"):
        lower(graph, x)


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_static_images(bits):
    x = images()
    graph = image_net(x)
    artefact, run = lowered(graph, x, input_bits=bits)
    assert run.spikes["head"].shape == (4, 3, 6, 6, 6)
    assert figures(artefact, "input range")["input"] == pytest.approx(float(x.abs().max()))
    assert figures(artefact, "input values clipped")["input"] == 0.0
    assert figures(artefact, "input error")["input"] < 2.0**-bits * 3
    assert disagreement(graph, x, run) < {4: 0.15, 8: 0.05, 12: 0.05}[bits]


def test_more_bits_mean_less_error():
    x = images()
    errors = [
        figures(lower(image_net(x), x, input_bits=bits), "input error")["input"]
        for bits in (2, 4, 8, 16)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-4 < errors[0]


def test_real_frames_of_every_step():
    x = torch.stack([images(seed=seed) for seed in range(4)])
    b = Builder(x)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    b.graph.outputs = (b.lif("head", b.conv("conv", stem, 6, 3)),)
    artefact, run = lowered(b.graph, x)
    assert disagreement(b.graph, x, run) < 0.05
    assert whole_frames(artefact.graph, x).shape == x.shape


def test_neurons_on_pixels():
    """Pooled pixels straight into neurons: the unit of the input moves into the threshold."""
    x = images()
    graph = Graph()
    graph.add("input", Input((3, 6, 6), Domain.REAL, per_step=False))
    b = Builder(x, graph=graph)
    shown = b.op("shown", RepeatTime(4), "input")
    fires = b.lif("fires", b.op("pool", MaxPool((2, 2), (2, 2), (0, 0)), shown), threshold=0.5)
    b.graph.outputs = (b.lif("head", b.conv("conv", fires, 6, 3)),)
    _, run = lowered(b.graph, x)
    assert disagreement(b.graph, x, run) < 0.05


def test_pixels_join_currents():
    x = images()
    b = Builder(x, image=True)
    total = b.op("total", Add(), b.conv("conv", "input", 3, 3), "input")
    b.graph.outputs = (b.lif("head", b.op("shown", RepeatTime(4), total)),)
    _, run = lowered(b.graph, x, weight_bits=12)
    assert disagreement(b.graph, x, run) < 0.05


def test_values_beyond_the_range_are_clipped_and_far_ones_refused():
    x = images()
    artefact = lower(image_net(x), x, input_range=1.6)
    assert 0 < figures(artefact, "input values clipped")["input"] < 0.5
    inside = x.clamp(-1.6, 1.6)
    outputs = [artefact.run(frames).outputs for frames in (inside, x.clamp(-3.1, 3.1))]
    assert torch.equal(*outputs)
    for wrong in (x * 255, torch.full_like(x, torch.nan), torch.full_like(x, torch.inf)):
        for backend in ("integer", "pump"):
            with pytest.raises(UsageError, match=r"magnitudes up to 1\.6"):
                artefact.run(wrong, backend=backend)


def test_frames_of_another_shape_are_refused():
    x = images()
    artefact = lower(image_net(x), x)
    with pytest.raises(UsageError, match=r"takes frames \[B, 3, 6, 6\]"):
        artefact.run(x.unsqueeze(0))
    assert stepped_frames(artefact.graph, x).shape == (4, *x.shape)


def test_an_unknown_range_is_asked_for():
    with pytest.raises(UsageError, match="input_range"):
        lower(image_net(images()))


def test_batches_of_images_calibrate_as_one(tmp_path):
    x = images(samples=4)
    graph = image_net(x)
    whole = lower(graph, x)
    parts = lower(graph, [(x[:2], torch.zeros(2)), (x[2:], torch.zeros(2))])
    assert whole.report.as_json() == parts.report.as_json()
    whole.save(tmp_path)
    again = type(whole).load(tmp_path)
    assert torch.equal(again.run(x).outputs, whole.run(x).outputs)
    assert "real values x as round(x / " in (tmp_path / "README.txt").read_text()


def test_large_batches_of_images_equal_small_ones():
    x = images(samples=2)
    artefact = lower(image_net(x), x)
    many = artefact.run(x.repeat(100, 1, 1, 1)).outputs
    assert torch.equal(many[:, :2], artefact.run(x).outputs)


def test_the_runtime_shows_images_at_each_step():
    x = images(samples=2)
    artefact = lower(image_net(x), x)
    ran = run_on_lava(artefact.graph, x, deadline=120)
    want = artefact.run(x, spikes=True)
    assert all(torch.equal(ran.spikes[name], s) for name, s in want.spikes.items())
