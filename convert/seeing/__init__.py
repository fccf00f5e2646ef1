"""Looking at a graph: its layers, where real values run, and pictures."""

from spikeport.convert.seeing.domains import RealEdge, Role, SpikeDriven, spike_driven
from spikeport.convert.seeing.dot import draw_dot
from spikeport.convert.seeing.svg import draw_layered, draw_svg
from spikeport.convert.seeing.table import Layer, layers

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
