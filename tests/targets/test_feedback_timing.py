"""Schedules of graphs with feedback, against a simulation of every step and every loop."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import full

from spikeport.convert.check import NodeRefused
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, Add, Conv, Delay, Input, MaxPool
from spikeport.targets.lava import retime
from spikeport.targets.lava.region import on_lava


def relay():
    return MaxPool((1, 1), (1, 1), (0, 0))


@st.composite
def looped(draw):
    """Random graphs with one to three delays, each of which shows some later node."""
    graph = Graph()
    graph.add("input", Input((1, 1, 1), Domain.SPIKE, per_step=True))
    names = ["input"]
    delays = draw(st.integers(1, 3))
    for index in range(delays):
        name = f"delay_{index}"
        graph.add(name, Delay(f"shown_{index}", (1, 1, 1), Domain.REAL))
        names.append(name)
    for index in range(draw(st.integers(1, 10))):
        kind = draw(st.sampled_from(["conv", "add", "add", "pool"]))
        source, name = draw(st.sampled_from(names)), f"{kind}_{index}"
        if kind == "conv":
            weight = full((1, 1, 1, 1), float(draw(st.integers(-2, 2))))
            graph.add(name, Conv(weight, None, (1, 1), (0, 0), (1, 1)), (source,))
        elif kind == "add":
            graph.add(name, Add(), (source, draw(st.sampled_from(names))))
        else:
            graph.add(name, relay(), (source,))
        names.append(name)
    for index in range(delays):
        graph.add(f"shown_{index}", relay(), (draw(st.sampled_from(names)),))
    for name in [node.name for node in graph if not graph.consumers(node.name)]:
        graph.add(f"{name}_fires", IF(1.0, 0.0), (name,))
    graph.outputs = tuple(node.name for node in graph if not graph.consumers(node.name))
    return graph


def steps_of(node):
    return int(isinstance(node.op, Conv))


def too_long(graph):
    """Whether some loop has more layers than delays."""
    net, region = nx.DiGraph(), on_lava(graph)
    for node in graph:
        if node.name not in region:
            continue
        for source in node.inputs:
            net.add_edge(source, node.name, weight=-steps_of(node))
        if node.op.feedback:
            net.add_edge(node.op.feedback, node.name, weight=1)
    return nx.negative_edge_cycle(net)


def combine(node, values):
    return int(node.op.weight) * values[0] if isinstance(node.op, Conv) else sum(values)


def prompt(graph, frames):
    """What the graph means: every node at every step, delays a step late."""
    history = {node.name: [] for node in graph}
    for step, frame in enumerate(frames):
        for node in graph:
            if node.op.feedback:
                value = history[node.op.feedback][step - 1] if step else 0
            elif not node.inputs:
                value = frame
            else:
                value = combine(node, [history[name][step] for name in node.inputs])
            history[node.name].append(value)
    return history


class Late:
    """What a network of processes computes: layers send last step's sum, lines hold values."""

    def __init__(self, graph, schedule, frames, time_steps, *, gated=True):
        self.graph, self.schedule, self.frames = graph, schedule, frames
        self.time_steps, self.gated, self.known = time_steps, gated, {}

    def __call__(self, name, step):
        if step < 0:
            return 0
        if (name, step) not in self.known:
            self.known[name, step] = None  # asked for again before it is known: a dead lock
            self.known[name, step] = self.compute(self.graph[name], step)
        value = self.known[name, step]
        assert value is not None, f"{name} waits for itself"
        return value

    def compute(self, node, step):
        if node.op.feedback:
            first = (step - self.schedule.latency[node.name]) % self.time_steps == 0
            if first and self.gated:
                return 0
            return self(node.op.feedback, step - self.schedule.feedback[node.name])
        if not node.inputs:
            return self.frames[step] if step < len(self.frames) else 0
        values = [
            self(source, step - steps_of(node) - self.schedule.waits.get((node.name, port), 0))
            for port, source in enumerate(node.inputs)
        ]
        return combine(node, values)


SAMPLES = st.integers(1, 4).flatmap(
    lambda steps: st.lists(
        st.lists(st.integers(0, 3), min_size=steps, max_size=steps), min_size=1, max_size=3
    )
)


@settings(max_examples=300, deadline=None)
@given(looped(), SAMPLES)
def test_streamed_feedback_is_that_of_each_sample(graph, samples):
    assume(not too_long(graph))
    schedule = retime(graph)
    assert all(steps >= 0 for steps in schedule.feedback.values())
    assert all(steps > 0 for steps in schedule.waits.values())
    time_steps = len(samples[0])
    late = Late(graph, schedule, [frame for frames in samples for frame in frames], time_steps)
    for number, frames in enumerate(samples):
        want = prompt(graph, frames)
        for node in map(graph.__getitem__, schedule.latency):
            start = schedule.latency[node.name] + number * time_steps
            got = [late(node.name, start + step) for step in range(time_steps)]
            assert got == want[node.name], node.name


@settings(max_examples=150, deadline=None)
@given(looped())
def test_loops_with_more_layers_than_steps_are_refused_and_no_others(graph):
    if too_long(graph):
        with pytest.raises(NodeRefused, match="more than one layer"):
            retime(graph)
    else:
        retime(graph)


def test_without_the_gate_the_last_sample_reaches_into_the_next():
    graph = Graph(outputs=("fires",))
    graph.add("input", Input((1, 1, 1), Domain.SPIKE, per_step=True))
    graph.add("delay", Delay("shown", (1, 1, 1), Domain.REAL))
    graph.add("sum", Add(), ("input", "delay"))
    graph.add("fires", IF(1.0, 0.0), ("sum",))
    weight = full((1, 1, 1, 1), 2.0)
    graph.add("shown", Conv(weight, None, (1, 1), (0, 0), (1, 1)), ("fires",))
    schedule = retime(graph)
    assert schedule.feedback == {"delay": 0} and schedule.depth == 1
    want = prompt(graph, [1, 0])
    for gated in (True, False):
        late = Late(graph, schedule, [1, 1, 1, 0], 2, gated=gated)
        got = [late("sum", 2 + step) for step in range(2)]
        assert (got == want["sum"]) == gated
