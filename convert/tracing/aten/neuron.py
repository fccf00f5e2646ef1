"""Spiking neurons."""

from __future__ import annotations

from torch import fx

from spikeport.convert.tracing.translator import Translator, Value, handles
from spikeport.core.errors import SpikeportError, UnsupportedError


@handles("spikeport.neuron.default")
def neuron(t: Translator, node: fx.Node) -> Value:
    x, path = t.value(node.args[0]), str(node.args[1])
    op = t.neurons[path]
    if isinstance(op, SpikeportError):
        raise op
    if path in t.neurons_seen:
        raise UnsupportedError(
            "this neuron is called more than once in a forward, so its state is shared.",
            where=path,
            fix="Call it once on the whole sequence [T, B, ...], or use one neuron per call.",
        )
    t.neurons_seen.add(path)
    names = [atom.name for atom in x.axes[0]] if x.axes else []
    # A single-step neuron, in a time loop or in a model that is one time step, reads [B, ...].
    one_step = t.roles.time is None or t.in_loop(path)
    if names != [t.roles.batch if one_step else t.roles.time]:
        if len(t.neurons_seen) == 1:
            t.progress = -1  # the first neuron tells what time is: this reading is wrong
        holds = " and ".join(_words(t, name) for name in names) or "nothing"
        expected = "batch alone" if one_step else "time"
        raise UnsupportedError(
            f"its first axis is not {expected}: it holds {holds}, so the membrane would leak "
            "across it.",
            where=path,
            fix="Give neurons [B, ...] in a time step."
            if one_step
            else "Give multi-step neurons [T, B, ...]; reshape before the call.",
        )
    return t.emit(op, [x], x.axes, node)


def _words(t: Translator, name: str) -> str:
    roles = {t.roles.time: "time", t.roles.batch: "batch"}
    return roles.get(name, "features") if name else "features"
