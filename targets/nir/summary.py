"""What the folder of a network in NIR is, in words."""

from __future__ import annotations

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.targets.nir.report import NirReport

_READING = """\
Reading it without Spikeport:

    import nir
    network = nir.read("model.nir")
"""
_RUNNING = """
Running it without Spikeport, on SpikingJelly (frames: [T, B, {shape}]):

    import torch
    from spikingjelly.activation_based.nir_exchange import import_from_nir
    model, state = import_from_nir("model.nir", dt={dt!r}, dtype=torch.float64), None
    outputs = []
    for frame in frames.double():
        output, state = model(frame, state)
        outputs.append(output)
"""
_ONLY_SPIKEPORT = """\
It holds nodes that only Spikeport reads; nir.read fails on it, as it should:

    from spikeport.targets.nir import read
    graph = read("model.nir")
"""


def summary(graph: Graph, report: NirReport, *, on_spikingjelly: bool) -> str:
    """Plain text for people who find the folder."""
    mark, proof = report.mark, report.proof
    neurons = sum(isinstance(node.op, Neuron) for node in graph)
    shape = ", ".join(map(str, graph.input.shape))
    lines = [
        "A spiking network in the Neuromorphic Intermediate Representation (NIR).",
        "",
        f"model.nir    {len(graph)} nodes, {neurons} layers of neurons.",
        "report.json  what is not written as the graph has it, and the proof.",
        "",
        f"One time step is {mark.dt:g} s, an explicit Euler step, then fire, then reset.",
        f"Input: {shape} at each step"
        + (f", the same image {mark.image_steps} times." if mark.image_steps else "."),
        f"Proof: {proof.spikes:,} spikes of {proof.neurons} layers compared in float64, "
        f"{proof.fired:,} fired, {proof.different:,} differ.",
    ]
    lines += [f"Note: {warning}" for warning in report.warnings()]
    text = "\n".join(lines) + "\n\n"
    if mark.extensions:
        return text + _ONLY_SPIKEPORT
    running = _RUNNING.format(shape=shape, dt=mark.dt) if on_spikingjelly else ""
    return text + _READING + running
