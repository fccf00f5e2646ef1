"""The convention of Spikformer, by hand and against its five published rows."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Conv, Input, Linear, MatMul, Permute, RepeatTime
from spikeport.estimate import PAPER_MODES, Tally

MILLIJOULE = 10**9
"""in pJ"""
MAC, AC = Fraction("4.6"), Fraction("0.9")

# Spikformer, table of ImageNet: width, SOPs in G, mJ.
PUBLISHED = [
    (384, "6.82", "7.734"),
    (512, "8.69", "9.417"),
    (512, "11.09", "11.577"),
    (512, "13.67", "13.899"),
    (768, "22.09", "21.477"),
]


def stem(width: int) -> Tally:
    """conv1 of Spikformer for ImageNet: 3 -> width / 8 channels, 3 x 3, 224 x 224, T = 4."""
    graph = Graph()
    graph.add("image", Input((3, 224, 224), Domain.REAL, False))
    graph.add("repeat", RepeatTime(4), ["image"])
    op = Conv(torch.zeros(width // 8, 3, 3, 3), None, (1, 1), (1, 1), (1, 1))
    graph.add("conv1", op, ["repeat"])
    graph.outputs = ("conv1",)
    tally = Tally(graph)
    tally.run(Interpreter(graph), torch.zeros(1, 3, 224, 224))
    return tally


STEMS = {width: stem(width) for width in (384, 512, 768)}


@pytest.mark.parametrize(("width", "giga", "millijoule"), PUBLISHED)
def test_published_rows_are_additions_plus_the_stem_of_the_512_wide_model(
    width: int, giga: str, millijoule: str
) -> None:
    paper = PAPER_MODES["spikformer"](STEMS[width], stem="published")
    found = paper.layers["conv1"] / MILLIJOULE + AC * Fraction(giga)
    # SOPs are published to 0.01 G, 0.009 mJ; the stem is 1.5953 mJ, 1.596 with 0.347 G MACs.
    assert abs(found - Fraction(millijoule)) < Fraction("0.0055")
    assert f"{float(AC * Fraction(giga) + Fraction('1.596')):.3f}" == millijoule


@pytest.mark.parametrize(
    ("width", "giga", "repeat", "millijoule"),
    [
        (384, "6.82", "each-step", 7.335),
        (768, "22.09", "each-step", 22.27),
        (384, "6.82", "once", 6.44),
        (768, "22.09", "once", 20.48),
    ],
)
def test_rows_at_their_own_width(width: int, giga: str, repeat: str, millijoule: float) -> None:
    paper = PAPER_MODES["spikformer"](STEMS[width], repeat=repeat)
    found = float(paper.layers["conv1"] / MILLIJOULE + AC * Fraction(giga))
    assert found == pytest.approx(millijoule, abs=0.005)


def attention() -> Tally:
    """Two spike operands of rates 1/2 and 1/4 over T = 2 steps, then a layer without events."""
    graph = Graph()
    graph.add("x", Input((2, 4), Domain.SPIKE, True))
    graph.add("turned", Permute((1, 0)), ["x"])
    graph.add("product", MatMul(), ["turned", "x"])
    graph.add("head", Linear(torch.ones(3, 4), None), ["product"])
    graph.outputs = ("head",)
    frames = torch.zeros(2, 1, 2, 4)
    frames[0, 0, 0, :4] = 1
    return Tally.over(Interpreter(graph), [frames])


def test_attention_is_charged_at_the_mean_rate() -> None:
    paper = PAPER_MODES["spikformer"](attention())
    # 4 of 16 elements: rate 1/4 of both operands; 4 x 4 outputs of 2 summands, T = 2.
    assert paper.layers["product"] == AC * Fraction(1, 4) * 32 * 2
    # The product is graded: its 16 of 32 elements that are not 0, 12 connections per row of 4.
    assert paper.layers["head"] == AC * Fraction(16, 32) * 2 * (4 * 12)
    assert paper.mode == "spikformer"
    named = PAPER_MODES["spikformer"](attention(), stem="published", repeat="once")
    assert named.mode == "spikformer:stem=published,repeat=once"
