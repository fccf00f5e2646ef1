"""Looking at a graph: its layers, where real values run, and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.convert.seeing.domains import RealEdge, Role, SpikeDriven, spike_driven
    from spikeport.convert.seeing.dot import draw_dot
    from spikeport.convert.seeing.svg import draw_layered, draw_svg
    from spikeport.convert.seeing.table import Layer, layers

_PLACES = {
    "Layer": "table",
    "RealEdge": "domains",
    "Role": "domains",
    "SpikeDriven": "domains",
    "draw_dot": "dot",
    "draw_layered": "svg",
    "draw_svg": "svg",
    "layers": "table",
    "spike_driven": "domains",
}

__all__ = [
    "Layer",
    "RealEdge",
    "Role",
    "SpikeDriven",
    "draw_dot",
    "draw_layered",
    "draw_svg",
    "layers",
    "spike_driven",
]

__getattr__ = lazy(__name__, _PLACES)
