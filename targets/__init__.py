"""Where a graph can be taken to. Importing this imports no target."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Executor, Graph
    from spikeport.convert.check import CheckReport
    from spikeport.targets.lowered import Lowered


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        description: one line for lists.
        executor: what runs a graph on many samples as the target would; its second argument gives
            frames `[T, B, *shape]` to choose scales by, and is called only where they are needed.
        missing: tells why the target's native runs cannot be used here, "" if they can. Executors
            of simulated arithmetic need nothing but PyTorch.
        check: what becomes of each node of a graph, by the rules of the lowering itself; None
            where nothing is lowered.
        lower: takes a graph there, with options of the target; None where nothing is lowered.
        load: reads back what the result of `lower` saved in a folder.
        calibrated: whether `lower` takes frames to choose scales by, as `calibration`.
    """

    description: str
    executor: Callable[[Graph, Callable[[], Tensor]], Executor]
    missing: Callable[[], str]
    check: Callable[[Graph], CheckReport] | None = None
    lower: Callable[..., Lowered] | None = None
    load: Callable[[str | os.PathLike[str]], Lowered] | None = None
    calibrated: bool = False


def _reference(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.targets.reference import ReferenceExecutor

    return ReferenceExecutor(graph)


def _reference_lower(graph: Graph, **options: Any) -> Lowered:
    from spikeport.targets.reference import lower

    return lower(graph, **options)


def _reference_load(folder: str | os.PathLike[str]) -> Lowered:
    from spikeport.targets.reference import ReferenceLowered

    return ReferenceLowered.load(folder)


def _lava(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.targets.lava import lower

    return lower(graph, calibration()).executor()


def _lava_lower(graph: Graph, **options: Any) -> Lowered:
    from spikeport.targets.lava import lower

    return lower(graph, **options)


def _lava_load(folder: str | os.PathLike[str]) -> Lowered:
    from spikeport.targets.lava import LavaArtefact

    return LavaArtefact.load(folder)


def _lava_check(graph: Graph) -> CheckReport:
    from spikeport.targets.lava import check

    return check(graph)


def _nir(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.convert import Interpreter
    from spikeport.targets.nir import lower

    return Interpreter(lower(graph).graph)


def _nir_lower(graph: Graph, **options: Any) -> Lowered:
    from spikeport.targets.nir import lower

    return lower(graph, **options)


def _nir_load(folder: str | os.PathLike[str]) -> Lowered:
    from spikeport.targets.nir import load

    return load(folder)


def _nir_check(graph: Graph) -> CheckReport:
    from spikeport.targets.nir import check

    return check(graph)


def _lava_missing() -> str:
    from spikeport.targets.lava.shim import lava_missing

    return lava_missing()


def _onnx(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    from spikeport.targets.onnx import OnnxExecutor

    return OnnxExecutor(graph)


def _onnx_lower(graph: Graph, **options: Any) -> Lowered:
    from spikeport.targets.onnx import lower

    return lower(graph, **options)


def _onnx_load(folder: str | os.PathLike[str]) -> Lowered:
    from spikeport.targets.onnx import OnnxLowered

    return OnnxLowered.load(folder)


def _onnx_check(graph: Graph) -> CheckReport:
    from spikeport.targets.onnx import check

    return check(graph)


def _onnx_missing() -> str:
    from spikeport.targets.onnx.session import onnxruntime_missing

    return onnxruntime_missing()


TARGETS: Registry[Target] = Registry(
    "target", "spikeport.targets", lambda _, entry: isinstance(entry, Target)
)
TARGETS.add(
    "reference",
    Target(
        "the float network in float32: what the others are compared with",
        _reference,
        str,
        lower=_reference_lower,
        load=_reference_load,
    ),
)
TARGETS.add(
    "lava",
    Target(
        "Lava / Lava-DL fixed point (Loihi 2 arithmetic), simulated bit by bit",
        _lava,
        _lava_missing,
        _lava_check,
        _lava_lower,
        _lava_load,
        calibrated=True,
    ),
)
TARGETS.add(
    "onnx",
    Target(
        "ONNX, run by onnxruntime in float32: one step for streaming, or T steps at once",
        _onnx,
        _onnx_missing,
        _onnx_check,
        _onnx_lower,
        _onnx_load,
    ),
)
TARGETS.add(
    "nir",
    Target(
        "the Neuromorphic Intermediate Representation, for other frameworks to read",
        _nir,
        str,
        _nir_check,
        _nir_lower,
        _nir_load,
    ),
)


def checked_targets() -> list[str]:
    """The targets that graphs are lowered to."""
    return [name for name, target in TARGETS.items() if target.check is not None]


def check(graph: Graph, target: str) -> CheckReport:
    """What becomes of each node of a graph on a target: exact, rewritten, approximate, unsupported.

    Total and complete: one verdict per node, with the module path, the reason and advice; the rules
    are those of the lowering. Never raises for a graph, never stops at the first finding.

    Raises:
        UnknownNameError: no target has this name.
        UsageError: nothing is lowered to this target.
    """
    judge = TARGETS[target].check
    if judge is None:
        raise UsageError(
            "this target runs graphs as they are: there is nothing to check.",
            where=target,
            fix=f"Targets to check for: {', '.join(checked_targets())}.",
        )
    return judge(graph)


def lower(graph: Graph, target: str, **options: Any) -> Lowered:
    """Take a graph to a target.

    Args:
        options: those of the target, such as `calibration` and `weight_bits` of Lava.

    Raises:
        UnknownNameError: no target has this name.
        UsageError: nothing is lowered to this target, or an option does not suit it.
        UnsupportedError: `check(graph, target)` finds an unsupported node.
    """
    lowering = TARGETS[target].lower
    if lowering is None:
        names = [name for name, entry in TARGETS.items() if entry.lower is not None]
        raise UsageError(
            "this target runs graphs as they are: there is nothing to lower.",
            where=target,
            fix=f"Targets to lower to: {', '.join(names)}.",
        )
    return lowering(graph, **options)


__all__ = ["TARGETS", "Target", "check", "checked_targets", "lower"]
