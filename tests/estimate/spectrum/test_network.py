"""Spectra of the edges of a graph: where they are, what is left out, what changes them."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Add,
    AvgPool,
    Concat,
    Conv,
    Delay,
    Fourier,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    MeanTime,
    Op,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
    Shape,
    Slice,
    Stateless,
    ZeroPad,
)
from spikeport.core.errors import UsageError
from spikeport.estimate.spectrum import Spectra, SpectrumReport, export
from spikeport.estimate.spectrum.report import EDGE_COLUMNS
from spikeport.estimate.spectrum.space import spaces

STEPS = 4


class Unheard(Stateless):
    """An op of somebody else's."""

    kind = "unheard"

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


def lif() -> LIF:
    return LIF(2.0, True, 0.6, 0.0)


def conv(out: int, channels: int, kernel: int, groups: int = 1, stride: int = 1) -> Conv:
    make = torch.Generator().manual_seed(out + kernel)
    weight = torch.randn((out, channels // groups, kernel, kernel), generator=make)
    same = (kernel // 2, kernel // 2)
    return Conv(weight, None, (stride, stride), same, (1, 1), groups)


def graph_of(*layers: tuple[str, Op, tuple[str, ...]], shape: tuple[int, ...] = (2, 8, 8)) -> Graph:
    graph = Graph()
    graph.add("x", Input(shape, Domain.REAL, True))
    for name, op, inputs in layers:
        graph.add(name, op, inputs, path=name)
    graph.outputs = (layers[-1][0],)
    return graph


def frames(batch: int, *shape: int, seed: int = 0) -> Tensor:
    make = torch.Generator().manual_seed(seed)
    return torch.randn((STEPS, batch, *shape), generator=make, dtype=torch.float64)


def seen(graph: Graph, *batches: Tensor) -> Spectra:
    spectra, executor = Spectra(graph), Interpreter(graph, torch.float64)
    for each in batches:
        spectra.run(executor, each)
    return spectra


def former() -> Graph:
    """Patch embedding, depth-wise mixer, attention over tokens, head; as Max-Former has them."""
    return graph_of(
        ("patch_embed1.conv", conv(4, 2, 3), ("x",)),
        ("patch_embed1.pool", MaxPool((3, 3), (2, 2), (1, 1)), ("patch_embed1.conv",)),
        ("stage1.0.mixer.lif", lif(), ("patch_embed1.pool",)),
        ("stage1.0.mixer.conv", conv(4, 4, 3, groups=4), ("stage1.0.mixer.lif",)),
        ("stage1.0.mixer", Add(), ("stage1.0.mixer.conv", "patch_embed1.pool")),
        ("stage2.0.attn.tokens", Reshape((4, 16)), ("stage1.0.mixer",)),
        ("stage2.0.attn.lif", lif(), ("stage2.0.attn.tokens",)),
        ("stage2.0.attn.turned", Permute((1, 0)), ("stage2.0.attn.lif",)),
        ("stage2.0.attn.scores", MatMul(), ("stage2.0.attn.turned", "stage2.0.attn.lif")),
        ("stage2.0.attn.mixed", MatMul(), ("stage2.0.attn.lif", "stage2.0.attn.scores")),
        ("stage2.0.attn.maps", Reshape((4, 4, 4)), ("stage2.0.attn.mixed",)),
        ("mean", Mean((1, 2)), ("stage2.0.attn.maps",)),
        ("time", MeanTime(), ("mean",)),
        ("head", Linear(torch.ones(3, 4), None), ("time",)),
    )


def test_maps_are_found_whatever_their_shape() -> None:
    graph = former()
    found = spaces(graph)
    sizes = {name: space.size for name, space in found.items() if not space.reason}
    assert sizes["x"] == (8, 8)
    left = set(found) - set(sizes)
    assert left == {"stage2.0.attn.scores", "mean", "time", "head"}
    assert all(size == (4, 4) for name, size in sizes.items() if name.startswith("stage"))
    assert found["stage2.0.attn.scores"].reason == "it holds pairs of positions"
    assert found["head"].reason == found["mean"].reason == "it is summed over positions"


def test_tokens_have_the_spectrum_of_their_map() -> None:
    spectra = seen(former(), frames(3, 2, 8, 8))
    maps, tokens = (spectra.maps[name] for name in ("stage1.0.mixer", "stage2.0.attn.tokens"))
    np.testing.assert_array_equal(tokens.power, maps.power)
    lying, standing = (spectra.maps[f"stage2.0.attn.{name}"] for name in ("lif", "turned"))
    np.testing.assert_array_equal(lying.power, standing.power)


@pytest.mark.parametrize(
    ("op", "space"),
    [
        (Slice(1, 1, 7), (6, 8)),
        (Slice(0, 0, 1), (8, 8)),
        (ZeroPad((0, 1, 2), (0, 1, 0)), (10, 10)),
        (Permute((1, 2, 0)), (8, 8)),
        (Scale(2.0), (8, 8)),
        (Reshape((2, 64)), (8, 8)),
        (Reshape((4, 4, 8)), "tears an axis apart"),
        (Fourier((1, 2)), "frequencies"),
        (Fourier((0,)), (8, 8)),
        (Linear(torch.ones(3, 8), None), "weights mix"),
        (Mean((2,)), "summed over positions"),
        (Mean((0,), keep=True), (8, 8)),
    ],
)
def test_each_op_moves_space_as_it_should(op: Op, space: object) -> None:
    graph = graph_of(("y", op, ("x",)), ("again", Scale(3.0), ("y",)))
    for name in ("y", "again"):
        found = spaces(graph)[name]
        if isinstance(space, str):
            assert space in found.reason
        else:
            assert not found.reason
            assert found.size == space


def test_a_sum_of_a_map_and_something_else_is_no_map() -> None:
    graph = graph_of(("f", Fourier((1, 2)), ("x",)), ("y", Add(), ("x", "f")))
    assert "do not lie along the same axes" in spaces(graph)["y"].reason


def test_joined_channels_stay_a_map() -> None:
    graph = graph_of(("a", conv(3, 2, 1), ("x",)), ("y", Concat(0), ("x", "a")))
    assert spaces(graph)["y"].size == (8, 8)


def test_feedback_does_not_hide_a_map() -> None:
    graph = Graph()
    graph.add("x", Input((2, 8, 8), Domain.REAL, True))
    graph.add("back", Delay("lif", (2, 8, 8), Domain.SPIKE))
    graph.add("sum", Add(), ("x", "back"))
    graph.add("lif", lif(), ("sum",))
    graph.outputs = ("lif",)
    assert {name: space.size for name, space in spaces(graph).items()} == dict.fromkeys(
        ("x", "back", "sum", "lif"), (8, 8)
    )


def test_an_op_that_no_rule_knows_is_left_out() -> None:
    found = spaces(graph_of(("y", Unheard(), ("x",)), ("z", Scale(2.0), ("y",))))
    assert found["y"].reason == found["z"].reason
    assert "nothing tells what unheard does" in found["y"].reason


def test_an_input_that_is_no_image_is_no_map() -> None:
    graph = graph_of(("y", Scale(2.0), ("x",)), shape=(16,))
    assert spaces(graph)["y"].reason == "the input is no image [C, H, W]"


def test_batches_do_not_matter() -> None:
    data, graph = frames(5, 2, 8, 8), former()
    whole = SpectrumReport(seen(graph, data))
    parts = SpectrumReport(seen(graph, data[:, :1], data[:, 1:4], data[:, 4:]))
    for name in ("edges", "each_effect", "by_kind", "curves"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(parts, name), rtol=1e-9)


def test_average_pooling_lowers_the_share_and_a_factor_keeps_it() -> None:
    graph = graph_of(
        ("same", Scale(0.5), ("x",)), ("average", AvgPool((3, 3), (1, 1), (1, 1), True), ("x",))
    )
    report = SpectrumReport(seen(graph, frames(4, 2, 8, 8)))
    shares = report.edges.set_index("node")["share"]
    assert shares["same"] == pytest.approx(shares["x"], rel=1e-12)
    assert shares["average"] < 0.4 < shares["x"]
    (row,) = report.by_kind.to_dict(orient="records")
    assert row["what"] == "average pooling"
    assert row["difference"] == pytest.approx(shares["average"] - shares["x"])
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0


def test_max_pooling_is_compared_with_averages_and_with_its_stride() -> None:
    graph = graph_of(("pool", MaxPool((3, 3), (2, 2), (1, 1)), ("x",)))
    data = frames(3, 2, 8, 8)
    spectra = seen(graph, data)
    own = Spectra(graph_of(("pool", AvgPool((3, 3), (2, 2), (1, 1), False), ("x",))))
    own.run(Interpreter(own.graph, torch.float64), data)
    averaged = spectra.controls["pool", "average pooling"]
    np.testing.assert_allclose(averaged.power, own.maps["pool"].power, rtol=1e-12)
    picked = Spectra(graph_of(("y", Scale(1.0), ("x",)), shape=(2, 4, 4)))
    picked.run(Interpreter(picked.graph, torch.float64), data[..., ::2, ::2])
    middle = spectra.controls["pool", "subsampling"]
    np.testing.assert_allclose(middle.power, picked.maps["y"].power, rtol=1e-12)
    rows = SpectrumReport(spectra).each_effect.set_index("what")
    assert rows.loc["max pooling", "size_after"] == "4x4"
    assert "max pooling instead of subsampling" in rows.index


def test_modules_are_compared_as_a_whole() -> None:
    report = SpectrumReport(seen(former(), frames(3, 2, 8, 8)))
    rows = report.each_effect.set_index("where")
    mixer = rows[rows["what"] == "token mixing, whole"]
    assert list(mixer.index) == ["stage1.0.mixer", "stage2.0.attn"]
    shares = report.edges.set_index("node")["share"]
    assert mixer.loc["stage1.0.mixer", "before"] == shares["patch_embed1.pool"]
    assert mixer.loc["stage1.0.mixer", "after"] == shares["stage1.0.mixer"]
    kinds = set(report.by_kind["what"])
    assert {"neuron", "depth-wise convolution", "convolution", "max pooling"} <= kinds
    neurons = report.by_kind.set_index("what").loc["neuron"]
    times = report.edges.set_index("node")["time_share"]
    expected = [
        times[after] - times[before]
        for before, after in (
            ("patch_embed1.pool", "stage1.0.mixer.lif"),
            ("stage2.0.attn.tokens", "stage2.0.attn.lif"),
        )
    ]
    assert neurons["time_defined"] == 2
    assert neurons["time_difference"] == pytest.approx(sum(expected) / 2)


def test_the_reason_stands_beside_what_is_left_out() -> None:
    report = SpectrumReport(seen(former(), frames(2, 2, 8, 8)))
    assert list(report.edges.columns) == list(EDGE_COLUMNS)
    rows = report.edges.set_index("node")
    assert rows.loc["mean", "left_out"] == "it is summed over positions"
    assert rows.loc["head", "time_left_out"] == "once per sample"
    for _, row in rows.iterrows():
        assert pd.isna(row["share"]) == (not pd.isna(row["left_out"]))
        assert pd.isna(row["time_share"]) == (not pd.isna(row["time_left_out"]))


def test_one_by_one_maps_are_left_out() -> None:
    graph = graph_of(("pool", MaxPool((8, 8), (8, 8), (0, 0)), ("x",)))
    report = SpectrumReport(seen(graph, frames(2, 2, 8, 8)))
    row = report.edges.set_index("node").loc["pool"]
    assert (row["height"], row["width"]) == (1, 1)
    assert "too few frequencies" in row["left_out"]


def test_a_static_image_gives_the_first_layer_a_constant_current() -> None:
    graph = Graph()
    graph.add("x", Input((2, 8, 8), Domain.REAL, False))
    graph.add("repeat", RepeatTime(STEPS), ("x",))
    graph.add("conv", conv(4, 2, 3), ("repeat",))
    graph.add("lif", lif(), ("conv",))
    graph.outputs = ("lif",)
    report = SpectrumReport(seen(graph, frames(3, 2, 8, 8)[0]))
    rows = report.edges.set_index("node")
    assert rows.loc["conv", "time_left_out"] == "constant over the steps in every sample"
    assert rows.loc["conv", "time_silent"] == 3
    assert 0 < rows.loc["lif", "time_share"] < 1
    assert rows.loc["conv", "share"] > 0


def test_a_silent_sample_has_no_share_and_is_told() -> None:
    data = frames(3, 2, 8, 8)
    data[:, 1] = 0
    rows = SpectrumReport(seen(former(), data)).edges.set_index("node")
    assert rows.loc["x", "silent"] == rows.loc["x", "time_silent"] == 1
    loud = SpectrumReport(seen(former(), data[:, [0, 2]])).edges.set_index("node")
    assert rows.loc["x", "share"] == pytest.approx(loud.loc["x", "share"])


def test_nothing_is_kept_of_the_values() -> None:
    spectra = seen(former(), frames(2, 2, 8, 8))
    arrays = [value for each in spectra.maps.values() for value in vars(each).values()]
    assert not any(isinstance(value, Tensor) for value in arrays)


def test_files(tmp_path) -> None:
    graph = graph_of(("y", conv(4, 2, 3), ("x",)))
    report = SpectrumReport(seen(graph, frames(2, 2, 8, 8)))
    files = export(report, tmp_path / "out")
    assert {file.name for file in files} == {
        *("edges.csv", "effects.csv", "kinds.csv", "curves.csv", "spectrum.json"),
        *("effects.svg", "layers.svg"),
    }
    told = json.loads((tmp_path / "out" / "spectrum.json").read_text())
    assert told == json.loads(json.dumps(report.as_dict()))
    before = [file.read_bytes() for file in files]
    export(SpectrumReport(seen(graph, frames(2, 2, 8, 8))), tmp_path / "out")
    assert [file.read_bytes() for file in files] == before
    curves = pd.read_csv(tmp_path / "out" / "curves.csv")
    assert set(curves["curve"]) == {"diagonal", "radial", "time"}


def test_a_network_without_maps_has_files_too(tmp_path) -> None:
    graph = graph_of(("fc", Linear(torch.randn(3, 5), None), ("x",)), shape=(5,))
    files = export(SpectrumReport(seen(graph, frames(2, 5))), tmp_path)
    assert {file.suffix for file in files} == {".csv", ".json"}


def test_frames_with_nan_are_refused() -> None:
    data = frames(2, 2, 8, 8)
    data[0, 0, 0, 0, 0] = math.nan
    with pytest.raises(UsageError, match="NaN"):
        seen(former(), data)


def test_samples_of_other_lengths_are_refused() -> None:
    graph = graph_of(("y", Scale(2.0), ("x",)))
    with pytest.raises(UsageError, match="different frequencies"):
        seen(graph, frames(1, 2, 8, 8), frames(1, 2, 8, 8)[:2])


def test_another_graph_is_refused() -> None:
    spectra = Spectra(graph_of(("y", Scale(2.0), ("x",))))
    with pytest.raises(UsageError, match="this graph does not have"):
        spectra.run(Interpreter(former(), torch.float64), frames(1, 2, 8, 8))


def test_no_sample_is_refused() -> None:
    with pytest.raises(UsageError, match="no sample"):
        SpectrumReport(Spectra(former()))
