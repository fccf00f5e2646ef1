"""From a model, a graph or what it was lowered to, to a network that is fine-tuned."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.convert.api import trace
from spikeport.convert.check import rewritten
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.core.errors import SpikeportError, UsageError
from spikeport.targets.lava.artefact import LavaArtefact, lower
from spikeport.targets.lava.calibration import (
    Calibration,
    calibration_batches,
    calibration_frames,
)
from spikeport.targets.lava.frames import graph_entry
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.qat.module import QatNetwork
from spikeport.targets.lava.quantise import LoweringOptions
from spikeport.targets.lava.requirements import PASSES

IMAGE_AXES = 4
"""Of images, [B, C, H, W]."""


def to_qat(
    source: nn.Module | Graph | LavaArtefact,
    calibration: Calibration | None = None,
    *,
    graph: Graph | None = None,
    input_domain: Domain | str = Domain.REAL,
    options: LoweringOptions | None = None,
    slope: float = 4.0,
    **values: object,
) -> QatNetwork:
    """A network with float weights that computes in the fixed point of Lava, to be fine-tuned.

    The model handed in is not changed: the weights are copies. Train it like any module on frames
    `[T, B, C, H, W]`, or on images `[B, C, H, W]` if the graph repeats them; then take `graph()`
    or `lowered()`. Training takes the place of the search
    (`LoweringOptions.search`): each weight is rounded to its nearest number.

    Args:
        source: a float model or graph, or what `lower` made of one.
        calibration: as for `lower`. A model needs it, to be traced with the first two samples of
            the first batch.
        graph: the float graph that an artefact was lowered from; needed with an artefact, which
            holds whole numbers only.
        input_domain: of a model's input; see `spikeport.convert.trace`.
        options: of the lowering; or give the fields of `LoweringOptions` by name. Not with an
            artefact, whose own are kept.
        slope: of the sigmoid whose derivative stands for that of a spike.

    Raises:
        UsageError: something that is needed is missing, or head-room is asked to be `observed`,
            which the next step of training would make untrue.
        UnsupportedError: the graph cannot be lowered, or not be trained; names the module.
    """
    # A loader may be read once only, and a model has to be traced before its batches are joined.
    batches = None if calibration is None else calibration_batches(calibration)
    if isinstance(source, LavaArtefact):
        return _from_artefact(source, graph, _joined(batches, source.graph), slope)
    if graph is not None:
        raise UsageError(
            "a graph was given beside a model or graph.",
            where="graph",
            fix="Give `graph` only together with what it was lowered to.",
        )
    if isinstance(source, nn.Module):
        source = _traced(source, batches, input_domain)
    given = options.model_dump(exclude_unset=True) if options else {}
    options = LoweringOptions.of(**(given | values))
    _require_static(options)
    # Training moves the weights itself, each rounded to its nearest number.
    options = options.model_copy(update={"search": "none"})
    frames = _joined(batches, source)
    return _network(source, frames, options, lower(source, frames, options=options), slope)


def _joined(batches: list[Tensor] | None, graph: Graph) -> Tensor | None:
    return None if batches is None else calibration_frames(batches, 1 if _has_steps(graph) else 0)


def _has_steps(graph: Graph) -> bool:
    """Whether it reads frames of every time step, not an image that it repeats itself."""
    return any(node.per_step for node in graph.inputs)


def _traced(model: nn.Module, batches: list[Tensor] | None, domain: Domain | str) -> Graph:
    """The graph of a model, by its first two samples: of images, or of frames of every step."""
    if batches is None:
        raise UsageError(
            "a model cannot be traced without samples.",
            where="calibration",
            fix="Give calibration frames [T, B, *shape] or images [B, *shape], or the traced "
            "graph.",
        )
    first = batches[0]
    if first.ndim == IMAGE_AXES:
        try:
            graph = trace(model, first[:2], input_domain=domain)
        except SpikeportError:
            pass  # frames [T, B, C, L] then
        else:
            if not _has_steps(graph):
                return graph
    return trace(model, first[:, :2].transpose(0, 1), input_domain=domain)


def _from_artefact(
    artefact: LavaArtefact, graph: Graph | None, frames: Tensor | None, slope: float
) -> QatNetwork:
    noted = lava_metadata(artefact.graph)
    if graph is None or "streams" not in noted:
        raise UsageError(
            "what was lowered holds whole numbers; fine-tuning starts from float weights.",
            where="graph",
            fix="Give the float graph too, or lower it again: to_qat(artefact, frames, graph=...).",
        )
    options = LoweringOptions.of(**noted["options"])
    _require_static(options)
    again = lower(graph, frames, options=options, exponents=noted["streams"])
    return _network(graph, frames, options, again, slope)


def _network(
    graph: Graph,
    frames: Tensor | None,
    options: LoweringOptions,
    artefact: LavaArtefact,
    slope: float,
) -> QatNetwork:
    folded = rewritten(graph, PASSES).graph
    entry = graph_entry(artefact.graph)
    return QatNetwork(folded, frames, options, entry, artefact.graph, slope)


def _require_static(options: LoweringOptions) -> None:
    if options.headroom != "static":
        raise UsageError(
            "head-room that was observed with some weights says nothing about the next ones.",
            where="lowering option headroom",
            fix="Use headroom='static'.",
        )
