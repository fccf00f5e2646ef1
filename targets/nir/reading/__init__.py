"""From NIR, of whatever origin, to a graph."""

from __future__ import annotations

import os
from typing import Any

import nir

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import MeanTime, SumTime
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.targets.nir.conventions import DT
from spikeport.targets.nir.mark import KEY, Fires, Mark, parse_mark
from spikeport.targets.nir.reading import primitives as _primitives  # noqa: F401  registers them
from spikeport.targets.nir.reading.build import build
from spikeport.targets.nir.reading.context import Building
from spikeport.targets.nir.reading.files import damaged, read_tree
from spikeport.targets.nir.reading.network import flattened

SUFFIX = ".nir"


def read(
    source: str | os.PathLike[str] | bytes | nir.NIRGraph,
    *,
    dt: float | None = None,
    fires: Fires | None = None,
    input_domain: Domain | str | None = None,
) -> Graph:
    """A NIR graph, from a file or as other frameworks export it, as a graph of ops.

    Nothing in a file is run; sizes are checked before anything is allocated.

    Args:
        source: a path, the bytes of a file, or a `nir.NIRGraph`.
        dt: seconds per time step; what the file says, if Spikeport wrote it, else 1e-4, as
            SpikingJelly and snnTorch assume. Norse assumes 1e-3, sinabs 1.
        fires: whether a membrane that meets its threshold exactly fires ("at", as SpikingJelly and
            sinabs have it) or not ("above", as NIR defines it and snnTorch and Norse have it).
            What the file says, if Spikeport wrote it, else "above".
        input_domain: what the input carries: real, unless the file says more.

    Returns:
        the graph; it takes frames `[T, B, *shape]`, or images `[B, *shape]` if it was made for
        them. `metadata["nir"]` tells dt and fires.

    Raises:
        FileError: the file is missing, damaged or too large, or a node is not as NIR has it.
        UnsupportedError: something in it has no meaning in a graph; tells which node, and advice.
        UsageError: a choice cannot be meant.
    """
    return read_marked(source, dt=dt, fires=fires, input_domain=input_domain)[0]


def read_marked(
    source: str | os.PathLike[str] | bytes | nir.NIRGraph,
    *,
    dt: float | None = None,
    fires: Fires | None = None,
    input_domain: Domain | str | None = None,
) -> tuple[Graph, Mark | None]:
    """As `read`, with what Spikeport noted in the file, None if another program wrote it."""
    tree = _tree(source)
    mark = _mark(tree)
    chosen = _choice(mark, dt, fires)
    domains, paths = (dict(mark.domains), mark.paths) if mark else ({}, {})
    building = Building(Graph(), *chosen, domains, paths, mark.image_steps if mark else None)
    net = flattened(tree)
    if input_domain is not None:
        if input_domain not in set(Domain):
            raise UnknownNameError("domain", str(input_domain), [str(name) for name in Domain])
        building.domains |= dict.fromkeys(net.of_type("Input"), Domain(input_domain))
    build(net, building)
    graph = building.graph
    if mark is not None and mark.readout != "none" and len(graph.outputs) == 1:
        over = MeanTime() if mark.readout == "mean" else SumTime()
        graph.outputs = (building.add(building.free(over.kind), over, graph.outputs[0]).name,)
    graph.metadata |= {
        "time_axis": 0,
        "fixed_steps": mark.fixed_steps if mark else None,
        "nir": {"dt": building.dt, "fires": building.fires},
    }
    return rebuilt(graph), mark  # without what no output depends on, as traced graphs


def _tree(source: str | os.PathLike[str] | bytes | nir.NIRGraph) -> dict[str, Any]:
    tree = source.to_dict() if isinstance(source, nir.NIRGraph) else read_tree(source)
    if tree.get("type") != "NIRGraph":
        where = str(source) if isinstance(source, str | os.PathLike) else "NIR file"
        raise damaged(where, "it holds a single node, not a graph")
    return tree


def _mark(tree: dict[str, Any]) -> Mark | None:
    metadata = tree.get("metadata")
    text = metadata.get(KEY) if isinstance(metadata, dict) else None
    return None if text is None else parse_mark(text)


def _choice(mark: Mark | None, dt: float | None, fires: Fires | None) -> tuple[float, Fires]:
    if fires not in (None, "at", "above"):
        raise UnknownNameError("way to fire", str(fires), ("at", "above"))
    if dt is not None and not 0 < dt < float("inf"):
        raise UsageError(f"a time step of {dt} s is none.", where="dt", fix="Give seconds.")
    if mark is not None:
        return dt or mark.dt, fires or mark.fires
    return dt or DT, fires or "above"


__all__ = ["SUFFIX", "read", "read_marked"]
