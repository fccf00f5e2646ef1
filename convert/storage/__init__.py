"""Graphs in files: one safetensors file, tensors inside, the graph as JSON in its metadata.

Nothing read from a file runs code: the header is JSON, parameters are raw numbers, and only ops
that are registered are built. `Graph.save` and `Graph.load` are the way in.
"""

from spikeport.convert.storage.digest import digest, fingerprint
from spikeport.convert.storage.read import load_graph
from spikeport.convert.storage.schema import CONVENTIONS, FORMAT, FORMAT_VERSION, SUFFIX
from spikeport.convert.storage.write import graph_path, save_graph

__all__ = [
    "CONVENTIONS",
    "FORMAT",
    "FORMAT_VERSION",
    "SUFFIX",
    "digest",
    "fingerprint",
    "graph_path",
    "load_graph",
    "save_graph",
]
