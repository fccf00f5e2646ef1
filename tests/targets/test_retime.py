"""Schedules against a step-by-step simulation."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, Add, Conv, Input, MaxPool
from spikeport.targets.lava import retime


@st.composite
def graphs(draw):
    """Random graphs of synapses, sums and relays over `[1, 1, 1]` values, ending in neurons."""
    graph = Graph()
    graph.add("input", Input((1, 1, 1), Domain.SPIKE, per_step=True))
    names = ["input"]
    for index in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["conv", "add", "pool"]))
        source = draw(st.sampled_from(names))
        name = f"{kind}_{index}"
        if kind == "conv":
            weight = torch.full((1, 1, 1, 1), float(draw(st.integers(-2, 2))))
            graph.add(name, Conv(weight, None, (1, 1), (0, 0), (1, 1)), (source,))
        elif kind == "add":
            graph.add(name, Add(), (source, draw(st.sampled_from(names))))
        else:
            graph.add(name, MaxPool((1, 1), (1, 1), (0, 0)), (source,))
        names.append(name)
    for name in [name for name in names if not graph.consumers(name)]:
        graph.add(f"{name}_fires", IF(1.0, 0.0), (name,))
    graph.outputs = tuple(n.name for n in graph if not graph.consumers(n.name))
    return graph


def simulate(graph, inputs, waits, *, late):
    """Values per node and step; with `late` synapses send last step's sum, as in Lava.

    Neurons pass their input through: their timing is all that matters here.
    """
    history = {}
    for node in graph:
        rows = []
        for step in range(len(inputs)):
            if not node.inputs:
                rows.append(inputs[step])
                continue
            values = []
            for port, source in enumerate(node.inputs):
                at = step - waits.get((node.name, port), 0)
                values.append(history[source][at] if at >= 0 else 0)
            if isinstance(node.op, Conv):
                rows.append(int(node.op.weight) * values[0])
            else:
                rows.append(sum(values))
        if late and isinstance(node.op, Conv):
            rows = [0, *rows[:-1]]
        history[node.name] = rows
    return history


@settings(max_examples=200, deadline=None)
@given(graph=graphs(), frames=st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_balanced_network_is_the_network_delayed(graph, frames):
    schedule = retime(graph)
    total = schedule.steps(1, len(frames))
    inputs = frames + [0] * (total - len(frames))
    prompt = simulate(graph, inputs, {}, late=False)
    lagging = simulate(graph, inputs, schedule.waits, late=True)
    for node in graph:
        lag = schedule.latency[node.name]
        assert lagging[node.name][:lag] == [0] * lag
        assert lagging[node.name][lag:] == prompt[node.name][: total - lag]
        assert total >= len(frames) + lag


@settings(max_examples=100, deadline=None)
@given(graph=graphs())
def test_every_wait_is_needed_and_shared(graph):
    schedule = retime(graph)
    lines = schedule.delay_lines(graph)
    assert sum(len(readers) for readers in lines.values()) == len(schedule.waits)
    for (source, steps), readers in lines.items():
        for reader, port in readers:
            assert graph[reader].inputs[port] == source
            arrival = schedule.latency[reader] - int(isinstance(graph[reader].op, Conv))
            assert steps == arrival - schedule.latency[source] > 0


def test_resets_meet_the_first_step_of_each_sample(max_former):
    graph = max_former.artefact.graph
    schedule = retime(graph)
    for name, lag in schedule.latency.items():
        for sample in range(3):
            first_step = sample * 4 + lag + 1  # Lava counts from one
            assert first_step % 4 == schedule.reset_offset(name, 4)


def test_depth_of_the_max_former(max_former):
    schedule = max_former.artefact.schedule
    # stem, embed, main, mixer, fc, q, proj
    assert schedule.depth == 7
    assert schedule.steps(samples=5, time_steps=4) == 27
    assert schedule.waits["attended", 0] == 2


def test_host_has_no_schedule(max_former):
    assert "mean_time" not in max_former.artefact.schedule.latency
