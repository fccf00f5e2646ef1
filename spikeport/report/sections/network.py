"""The network as a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spikeport.convert.seeing.legend import DOMAIN_WORDS
from spikeport.estimate.numbers import percent, si
from spikeport.report.artefacts.energy import Layer, Network, Node
from spikeport.report.assets import Assets
from spikeport.report.drawing import Drawing, draw
from spikeport.report.gather import Subject
from spikeport.report.tables import energy, figure

_LABEL, _LONGEST = 6.4, 30
"""Width of a character, and characters shown of a label."""
_LEAST, _MOST = 30.0, 74.0
"""Heights of boxes that cost nothing and most."""
_WIDER = 60.0


@dataclass(frozen=True)
class Box:
    """One node as it is drawn.

    Attributes:
        id: of its element.
        name: what a screen reader says.
        warmth: firing rate as a share of the highest, 0 to 1; None without a rate.
    """

    id: str
    node: str
    x: float
    y: float
    width: float
    height: float
    label: str
    below: str
    name: str
    kind: str
    warmth: float | None


@dataclass(frozen=True)
class Line:
    """One edge: an SVG path and what it carries."""

    path: str
    domain: str
    loop: bool


def build(subject: Subject, assets: Assets) -> dict[str, Any] | None:
    """Boxes, lines and legend; the figures of each box are data of the script."""
    if subject.energy is None or subject.energy.network is None:
        return None
    net = subject.energy.network
    layers = {layer.node: layer for layer in subject.energy.report.layers}
    rates = {node.node: _rate(layers.get(node.node)) for node in net.nodes}
    highest = max((rate for rate in rates.values() if rate is not None), default=0.0)
    sizes = _sizes(net, layers)
    known = set(sizes)
    edges = [(s, node.node) for node in net.nodes for s in node.inputs if s in known]
    loops = [(node.feedback, node.node) for node in net.nodes if node.feedback in known]
    picture = draw(sizes, edges, loops)
    prefix = f"node-{assets.subject}"
    boxes = [
        _box(f"{prefix}-{number}", node, picture, sizes, layers, rates, highest)
        for number, node in enumerate(net.nodes)
    ]
    ids = {box.node: box.id for box in boxes}
    data = {
        ids[node.node]: _details(node, layers.get(node.node), net)
        | {
            "up": [ids[source] for source in node.inputs if source in known],
            "down": [ids[reader] for source, reader in edges if source == node.node],
        }
        for node in net.nodes
    }
    domains = {str(domain): words for domain, words in DOMAIN_WORDS.items()}
    return {
        "data": assets.keep("network", data),
        "width": round(picture.width),
        "height": round(picture.height),
        "boxes": boxes,
        "costly": ids[max(net.nodes, key=lambda node: _energy(layers.get(node.node))).node],
        "lines": _lines(net, picture, set(loops)),
        "highest": percent(highest),
        "domains": {name: words for name, words in domains.items() if name in _carried(net)},
    }


def _rate(layer: Layer | None) -> float | None:
    """Of the spikes that a neuron emits, else of those that a layer reads."""
    if layer is None:
        return None
    return layer.firing_rate_in if layer.firing_rate_out is None else layer.firing_rate_out


def _sizes(net: Network, layers: dict[str, Layer]) -> dict[str, tuple[float, float]]:
    spent = {node.node: _energy(layers.get(node.node)) for node in net.nodes}
    most = max(spent.values(), default=0.0)
    sizes = {}
    for node in net.nodes:
        # By area: the square root of the share.
        weight = math.sqrt(spent[node.node] / most) if most else 0.0
        width = max(96.0, 26 + _LABEL * len(_label(node)))
        sizes[node.node] = (width + _WIDER * weight, _LEAST + (_MOST - _LEAST) * weight)
    return sizes


def _energy(layer: Layer | None) -> float:
    return 0.0 if layer is None else layer.energy_uJ or 0.0


def _label(node: Node) -> str:
    """The last two parts of the module path."""
    text = ".".join((node.path or node.node).split(".")[-2:])
    return text if len(text) <= _LONGEST else f"\u2026{text[1 - _LONGEST :]}"


def _box(
    name: str,
    node: Node,
    picture: Drawing,
    sizes: dict[str, tuple[float, float]],
    layers: dict[str, Layer],
    rates: dict[str, float | None],
    highest: float,
) -> Box:
    x, y = picture.centres[node.node]
    width, height = sizes[node.node]
    layer, rate = layers.get(node.node), rates[node.node]
    told = [node.op, node.path or node.node]
    if layer is not None and layer.energy_uJ:
        told.append(energy(layer.energy_uJ))
    if rate is not None:
        told.append(f"firing rate {percent(rate)} %")
    below = node.op
    if layer is not None and layer.energy_uJ:
        below += f" \u00b7 {energy(layer.energy_uJ)}"
    elif node.neurons and rate is not None:
        below += f" \u00b7 {percent(rate)} %"
    return Box(
        id=name,
        node=node.node,
        x=round(x - width / 2, 1),
        y=round(y - height / 2, 1),
        width=round(width, 1),
        height=round(height, 1),
        label=_label(node),
        below=below,
        name=", ".join(told),
        kind="neuron" if node.neurons else "weights" if node.parameters else "plain",
        warmth=None if rate is None else round(rate / highest, 3) if highest else 0.0,
    )


def _lines(net: Network, picture: Drawing, loops: set[tuple[str, str]]) -> list[Line]:
    domains = {node.node: node.domain for node in net.nodes}
    return [
        Line(_path(points), domains[edge[0]], edge in loops)
        for edge, points in picture.routes.items()
    ]


def _path(points: list[tuple[float, float]]) -> str:
    start, *rest = (f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{start}C{' '.join(rest)}"


def _carried(net: Network) -> set[str]:
    read = {source for node in net.nodes for source in (*node.inputs, node.feedback)}
    return {node.domain for node in net.nodes if node.node in read}


def _details(node: Node, layer: Layer | None, net: Network) -> dict[str, Any]:
    """Figures of one box: pairs of words, and per-step rates."""
    size = " x ".join(map(str, node.shape)) or "1"
    pairs: list[tuple[str, str]] = [
        ("Module", node.path or "(none: made while tracing)"),
        *([("Node", node.node)] if node.node != node.path else []),
        ("Op", node.op),
        ("Output", f"{size}, {'at each step' if node.per_step else 'once'}, {node.domain}"),
    ]
    if node.parameters:
        pairs.append(("Parameters", f"{node.parameters:,}"))
    if node.neurons:
        pairs.append(("Neurons", f"{node.neurons:,}"))
    if layer is not None:
        pairs += _figures(layer)
    return {
        "title": node.path or node.node,
        "pairs": pairs,
        "node": node.node,
        "rates": [round(rate, 6) for rate in net.rates.get(node.node, [])],
    }


def _figures(layer: Layer) -> list[tuple[str, str]]:
    shown = (
        ("Energy", layer.energy_uJ, energy),
        ("95 % from", layer.energy_uJ_low, energy),
        ("95 % to", layer.energy_uJ_high, energy),
        ("Share of the network", layer.energy_share, lambda share: f"{percent(share)} %"),
        ("Rate in", layer.firing_rate_in, lambda share: f"{percent(share)} %"),
        ("Rate out", layer.firing_rate_out, lambda share: f"{percent(share)} %"),
        ("Events in", layer.events_in, si),
        ("Synaptic operations", layer.sop, si),
        ("Multiply-accumulates", layer.mac, si),
        ("Without spikes", layer.ann_energy_uJ, energy),
        ("Break-even rate", layer.break_even_rate, figure),
    )
    pairs = [(title, show(value)) for title, value, show in shown if value is not None]
    if layer.charged_as:
        pairs.append(("Charged as", layer.charged_as))
    return pairs
