"""The step graph: `(frame, states...) -> (output, states'...)`, to be called once per time step."""

from __future__ import annotations

from onnx import ValueInfoProto, helper

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Delay, Input
from spikeport.targets.onnx.emitter import Emitter, Place
from spikeport.targets.onnx.lowerings import LOWERINGS
from spikeport.targets.onnx.moments import RunningStep, State
from spikeport.targets.onnx.written import BATCH, Written


def write_step(graph: Graph, dtype: str) -> Written:
    """Write one time step of a graph.

    Membranes, delayed values, sums over time and, where something depends on it, the number of
    the step are states: inputs, whose successors are outputs. A mean or sum over time is that
    of the steps so far, so that the output is valid after each step.
    """
    emit = Emitter(dtype, (node.name for node in graph))
    moment = RunningStep(emit)
    values: dict[str, str] = {}
    for node in graph:
        if isinstance(node.op, Input):
            values[node.name] = node.name
            continue
        inputs = [values[name] for name in node.inputs]
        value = LOWERINGS[node.op.kind].one_step(_place(graph, emit, node), inputs, moment)
        values[node.name] = emit.named(value, node.name, node.path)
    for node in graph.delays:
        if isinstance(node.op, Delay):
            moment.after(_place(graph, emit, node), "delayed", values[node.op.source])
    entry, last = graph.input, graph[graph.outputs[0]]
    states = list(moment.states.values())
    return Written(
        emit,
        [_info(emit, entry), *(_of_state(moment, state, state.name) for state in states)],
        [_info(emit, last), *(_of_state(moment, state, state.next) for state in states)],
        {},
        states,
    )


def _place(graph: Graph, emit: Emitter, node: Node) -> Place:
    return Place(emit, node, tuple(graph[name].shape for name in node.inputs))


def _info(emit: Emitter, node: Node) -> ValueInfoProto:
    return helper.make_tensor_value_info(node.name, emit.onnx_type, [BATCH, *node.shape])


def _of_state(moment: RunningStep, state: State, name: str) -> ValueInfoProto:
    shape: list[str | int | None] = [] if state.shape is None else [BATCH, *state.shape]
    return helper.make_tensor_value_info(name, moment.type_of(state), shape)
