"""Words of spikes: by hand, by brute force, and what direct coding can reach at all."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Add, Input, Linear, RepeatTime
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError
from spikeport.estimate.encoding import encoding_layer, goes_around
from spikeport.estimate.patterns import Patterns, spike_patterns, words_of


def one_layer(reset: float | None, *, steps: int | None = None) -> Graph:
    """Currents through a LIF; a static picture of them if `steps` is given."""
    graph = Graph(outputs=("lif",))
    graph.add("x", Input((1,), Domain.REAL, steps is None))
    if steps is not None:
        graph.add("repeat", RepeatTime(steps), ["x"])
    graph.add("lif", LIF(2.0, True, 1.0, reset), ["x" if steps is None else "repeat"])
    return graph


def patterns(*counts: int) -> Patterns:
    return Patterns("lif", len(counts).bit_length() - 1, 1, np.array(counts))


@pytest.mark.parametrize(
    ("reset", "reached"),
    [
        (0.0, {2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9}),
        (None, {2: 3, 4: 7, 6: 13, 8: 23}),
    ],
    ids=["hard", "soft"],
)
def test_the_same_input_at_each_step_reaches_few_words(
    reset: float | None, reached: dict[int, int]
) -> None:
    # Currents lie dense around the threshold, where the words of long silence are.
    fine = 1 + torch.logspace(-6, 1, 20_000, dtype=torch.float64)
    currents = torch.cat([torch.linspace(-1, 4, 20_001, dtype=torch.float64), fine])[:, None]
    for steps, count in reached.items():
        graph = one_layer(reset, steps=steps)
        found = spike_patterns(Interpreter(graph, torch.float64), [(currents, currents)])
        assert found.used == count, steps
        assert found.words == len(currents)
        # The cap that direct coding puts on the entropy.
        assert found.entropy < math.log(count) / (steps * math.log(2)) < 1
    if reset == 0.0:
        assert [bits for bits, _ in sorted(found.common(99))] == [
            "".join("1" if (t + 1) % period == 0 else "0" for t in range(8))
            for period in range(9, 0, -1)
        ]


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(1, 6), size=st.integers(1, 40), seed=st.integers(0, 99), p=st.floats(0, 1))
def test_counts_are_those_of_brute_force(steps: int, size: int, seed: int, p: float) -> None:
    make = torch.Generator().manual_seed(seed)
    spikes = (torch.rand(steps, size, 3, generator=make) < p).float()
    found = Patterns("x", steps, size, words_of(spikes))
    words = Counter(
        "".join(str(int(bit)) for bit in spikes[:, i, j]) for i in range(size) for j in range(3)
    )
    assert dict(found.common(1 << steps)) == words
    assert found.used == len(words) and found.words == 3 * size
    assert found.rate == pytest.approx(float(spikes.mean()))
    total = sum(words.values())
    entropy = -sum(n / total * math.log2(n / total) for n in words.values()) / steps
    assert found.entropy == pytest.approx(entropy, abs=1e-12)
    assert sum(found.as_json()["counts"].values()) == total


def test_entropy_is_one_for_all_words_alike_and_zero_for_one_word() -> None:
    assert patterns(7, 7, 7, 7).entropy == pytest.approx(1)
    assert patterns(0, 0, 9, 0).entropy == 0
    assert patterns(1, 1, 0, 0).entropy == pytest.approx(0.5)
    assert patterns(0, 0, 9, 0).rate == 0.5
    assert patterns(1, 3, 0, 2).common(2) == [("01", 3), ("11", 2)]


def test_batches_add_up_and_do_not_matter() -> None:
    make = torch.Generator().manual_seed(0)
    frames = 3 * torch.rand(3, 50, 1, generator=make)
    executor = Interpreter(one_layer(0.0))
    whole = spike_patterns(executor, [(frames, frames)])
    parts = spike_patterns(executor, [(part, part) for part in frames.split(7, 1)])
    assert np.array_equal(whole.counts, parts.counts)
    assert (whole.samples, parts.samples, whole.steps) == (50, 50, 3)
    assert whole.used > 4


def deep() -> Graph:
    """Two layers of neurons; the input also goes around the first."""
    graph = Graph(outputs=("second",))
    graph.add("x", Input((2,), Domain.REAL, True))
    graph.add("first", LIF(2.0, True, 1.0, 0.0), ["x"], path="enc.lif")
    graph.add("linear", Linear(torch.eye(2), None), ["first"])
    graph.add("sum", Add(), ["linear", "x"])
    graph.add("second", LIF(2.0, True, 1.0, 0.0), ["sum"], path="head.lif")
    return graph


def test_the_encoding_layer_is_the_first_or_the_one_named() -> None:
    graph = deep()
    assert encoding_layer(graph).name == "first"
    assert encoding_layer(graph, "second").name == "second"
    assert encoding_layer(graph, "head.lif").name == "second"
    assert goes_around(graph, graph["first"])
    assert not goes_around(graph, graph["second"])
    frames = torch.full((2, 4, 2), 3.0)
    found = spike_patterns(Interpreter(graph), [(frames, frames)], "head.lif")
    assert (found.layer, found.common(9)) == ("head.lif", [("11", 8)])


def test_refusals() -> None:
    graph, frames = deep(), torch.ones(2, 4, 2)
    with pytest.raises(UnknownNameError, match="first"):
        spike_patterns(Interpreter(graph), [(frames, frames)], "firs")
    with pytest.raises(UsageError, match="no sample"):
        spike_patterns(Interpreter(graph), [])
    with pytest.raises(UsageError, match="differ"):
        spike_patterns(Interpreter(graph), [(frames, frames), (frames[:1], frames)])
    with pytest.raises(UsageError, match="21 time steps"):
        words_of(torch.ones(21, 1))
    with pytest.raises(UsageError, match="other than 0 and 1"):
        words_of(torch.full((2, 1), 0.5))
    bare = Graph(outputs=("x",))
    bare.add("x", Input((2,), Domain.REAL, True))
    with pytest.raises(UnsupportedError, match="no spiking neurons"):
        encoding_layer(bare)


def test_a_tensor_of_any_shape_is_counted() -> None:
    spikes: Tensor = torch.zeros(2, 3, 4, 5, 5)
    spikes[1, 0, 0, 0, 0] = 1
    assert words_of(spikes).tolist() == [299, 1, 0, 0]
