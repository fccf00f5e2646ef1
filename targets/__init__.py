"""Where a graph can be taken to. Importing this imports no target."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Executor, Graph, StepExecutor
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
        unrolled: whether `lower` writes time steps out, whose number it then takes as `steps`.
        backends: what a lowered network may be run by, that of `executor` first; some need packages
            or hardware that are not everywhere.
        stepper: what runs a graph frame by frame as the target would (of Lava: a graph that was
            lowered); None where nothing does.
    """

    description: str
    executor: Callable[[Graph, Callable[[], Tensor]], Executor]
    missing: Callable[[], str]
    check: Callable[[Graph], CheckReport] | None = None
    lower: Callable[..., Lowered] | None = None
    load: Callable[[str | os.PathLike[str]], Lowered] | None = None
    calibrated: bool = False
    unrolled: bool = False
    backends: tuple[str, ...] = ()
    stepper: Callable[[Graph], StepExecutor] | None = None


TARGETS: Registry[Target] = Registry(
    "target", "spikeport.targets", lambda _, entry: isinstance(entry, Target)
)


def _built_in(
    name: str,
    description: str,
    backends: tuple[str, ...],
    *,
    checks: bool = True,
    calibrated: bool = False,
    unrolled: bool = False,
    streams: bool = True,
) -> None:
    """Register a target of ours, whose module `NAME/target.py` is imported when it is used."""

    def call(function: str) -> Callable[..., Any]:
        def later(*values: Any, **options: Any) -> Any:
            module = import_module(f"{__name__}.{name}.target")
            return getattr(module, function)(*values, **options)

        return later

    target = Target(
        description,
        executor=call("executor"),
        missing=call("missing"),
        check=call("check") if checks else None,
        lower=call("lower"),
        load=call("load"),
        calibrated=calibrated,
        unrolled=unrolled,
        backends=backends,
        stepper=call("stepper") if streams else None,
    )
    TARGETS.add(name, target)


_built_in(
    "reference",
    "the float network, fast: what the others are compared with",
    ("cpu", "cuda"),
    checks=False,
)
_built_in(
    "lava",
    "Lava / Lava-DL fixed point (Loihi 2 arithmetic), simulated bit by bit",
    ("integer", "pump", "runtime", "slayer"),
    calibrated=True,
)
_built_in(
    "onnx",
    "ONNX, run by onnxruntime in float32: one step for streaming, or T steps at once",
    ("onnxruntime", "onnxruntime-step"),
    unrolled=True,
)
_built_in(
    "nir",
    "the Neuromorphic Intermediate Representation, for other frameworks to read",
    ("nir", "spikingjelly"),
    streams=False,
)


def checked_targets() -> list[str]:
    """The targets that `check` takes."""
    return [name for name, target in TARGETS.items() if target.check is not None]


def lowering_targets() -> list[str]:
    """The targets that `lower` takes."""
    return [name for name, target in TARGETS.items() if target.lower is not None]


def streaming_targets() -> list[str]:
    """The targets that `stepper` takes."""
    return [name for name, target in TARGETS.items() if target.stepper is not None]


def stepper(graph: Graph, target: str) -> StepExecutor:
    """What runs a graph frame by frame on a target.

    Args:
        graph: as traced; of Lava: as lowered.

    Raises:
        UnknownNameError: no target has this name.
        UsageError: the target runs whole samples only, or the graph is not lowered to it.
        UnsupportedError: the graph cannot be streamed; names the node.
    """
    make = TARGETS[target].stepper
    if make is None:
        why = "this target runs whole samples only."
        raise _not_offered(target, why, "that stream", streaming_targets())
    return make(graph)


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
        why = "this target runs graphs as they are: there is nothing to check."
        raise _not_offered(target, why, "to check for", checked_targets())
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
        why = "this target runs graphs as they are: there is nothing to lower."
        raise _not_offered(target, why, "to lower to", lowering_targets())
    return lowering(graph, **options)


def _not_offered(target: str, why: str, which: str, others: list[str]) -> UsageError:
    return UsageError(why, where=target, fix=f"Targets {which}: {', '.join(others)}.")


def load(folder: str | os.PathLike[str], target: str) -> Lowered:
    """Read back what `save` of a lowered network wrote.

    Raises:
        UnknownNameError: no target has this name.
        UsageError: nothing is lowered to this target.
        FileError: a file is missing, damaged, of another version, or does not belong.
    """
    loading = TARGETS[target].load
    if loading is None:
        raise UsageError(
            "this target reads no artefacts.",
            where=target,
            fix="Install the package that wrote it.",
        )
    return loading(folder)


__all__ = [
    "TARGETS",
    "Target",
    "check",
    "checked_targets",
    "load",
    "lower",
    "lowering_targets",
    "stepper",
    "streaming_targets",
]
