"""From a graph to NIR."""

from __future__ import annotations

import io

import nir
import numpy as np

from spikeport.convert.check import raise_errors
from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.extension import Extension, write_extension
from spikeport.targets.nir.mark import KEY, Mark
from spikeport.targets.nir.network import Network
from spikeport.targets.nir.requirements import Requirements
from spikeport.targets.nir.rules import RULES

OUTPUT = "output"


def written(requirements: Requirements) -> nir.NIRGraph:
    """The graph in NIR, with what NIR leaves open in its metadata.

    Raises:
        UnsupportedError: a rule stands against it, or `nir` does not accept the result.
    """
    graph = requirements.graph
    raise_errors([finding for node in graph for finding in requirements.of_node(node)])
    raise_errors(list(requirements.of_graph()))
    network = Network(requirements)
    for node in graph:
        write = write_extension if requirements.is_extension(node) else RULES[node.op.kind].write
        network.sources[node.name] = write(network, node)
    for node in graph.delays:
        shown = network.sources[node.op.feedback or ""]
        if node.name in network.nodes and not requirements.is_extension(node):
            network.edges += [(source, node.name) for source in shown]
    (last,) = graph.outputs
    output = _free(OUTPUT, network)
    network.add(output, nir.Output(np.array(graph[last].shape)), network.sources[last])
    return _checked(network, _mark(requirements, network))


def _free(name: str, network: Network) -> str:
    while name in network.nodes:
        name += "_"
    return name


def _mark(requirements: Requirements, network: Network) -> Mark:
    kinds = {node.kind for node in network.nodes.values() if isinstance(node, Extension)}
    return Mark.model_validate(
        {
            "dt": requirements.options.dt,
            "fires": requirements.fires,
            "readout": network.readout,
            "domains": network.domains,
            "image_steps": requirements.image_steps,
            "fixed_steps": requirements.graph.metadata.get("fixed_steps"),
            "paths": {node.name: node.path for node in requirements.graph if node.path},
            "extensions": tuple(sorted(kinds)),
        }
    )


def _checked(network: Network, mark: Mark) -> nir.NIRGraph:
    for name in network.nodes:
        if "/" in name or name in (".", ""):
            raise UnsupportedError(
                f"a node is called {name!r}, which no HDF5 file can hold.",
                where=name,
                fix="Rename the module.",
            )
    try:
        return nir.NIRGraph(
            network.nodes,
            network.edges,
            metadata={KEY: mark.model_dump_json()},
            # Types of extensions are not known to it.
            type_check=not mark.extensions,
        )
    except (ValueError, AssertionError, NotImplementedError) as error:
        raise UnsupportedError(
            f"nir does not accept the graph: {error}.",
            where="NIR",
            fix="Please report it: `check` should have told.",
        ) from error


def file_content(network: nir.NIRGraph) -> bytes:
    """A NIR graph as the bytes of its file."""
    target = io.BytesIO()
    nir.write(target, network)
    return target.getvalue()
