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
    t.first_neuron = t.first_neuron or x.axes
    names = [atom.name for atom in x.axes[0]] if x.axes else []
    if len(names) != 1 or not names[0] or (t.roles.time and names != [t.roles.time]):
        holds = " and ".join(_words(t, name) for name in names) or "nothing"
        raise UnsupportedError(
            f"its first axis is not time: it holds {holds}, so the membrane would leak across it.",
            where=path,
            fix="Give multi-step neurons [T, B, ...]; reshape before the call.",
        )
    return t.emit(op, [x], x.axes, node)


def _words(t: Translator, name: str) -> str:
    return (
        {t.roles.time: "time", t.roles.batch: "batch"}.get(name, "features") if name else "features"
    )
