"""Time loops: in at one end, feedback through a delay, out at the other."""

from __future__ import annotations

from typing import cast

from torch import fx

from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


@handles("spikeport.loop_enter.default")
def enter(t: Translator, node: fx.Node) -> Value:
    """From the sequence to one step of it: only the bookkeeping of axes changes."""
    x, path = t.value(node.args[0]), str(node.args[1])
    names = [[atom.name for atom in axis] for axis in x.axes[:2]]
    if t.roles.time is None or names != [[t.roles.time], [t.roles.batch]]:
        raise AxisError("a time loop takes [T, B, ...], and the first two axes here are others")
    if path in t.loops_seen:
        raise AxisError("this time loop is called more than once in a forward")
    t.loops_seen.add(path)
    return Value(x.node, x.axes[1:])


@handles("spikeport.loop_feedback.default")
def feedback(t: Translator, node: fx.Node) -> Value:
    """What the last step returned: a delay that is closed later."""
    x, shape = t.value(node.args[0]), cast(list[int], node.args[1])
    axes = (x.axes[0], *(axis_of(size) for size in shape))
    return t.open_feedback(str(node.args[2]), axes)


@handles("spikeport.loop_close.default")
def close(t: Translator, node: fx.Node) -> Value:
    """From one step back to the sequence."""
    output, returned, currents = (t.value(argument) for argument in node.args[:3])
    for value in (output, returned):
        if not value.axes or value.axes[0] != currents.axes[1]:
            raise AxisError("a step returns [B, ...], and the first axis here is another")
        if not t.graph[value.node].per_step:
            raise AxisError("what its step returns does not depend on the time step")
    t.close_feedback(str(node.args[3]), returned)
    return Value(output.node, (currents.axes[0], *output.axes))
