"""What runs a graph on many samples, by the name of a target and, if wanted, of a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.executor import Executor, Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron, Stateful
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError
from spikeport.targets import TARGETS
from spikeport.targets.lowered import Lowered, chosen_backend


def check_name(name: str) -> None:
    """Do nothing if `TARGET` or `TARGET:BACKEND` exists. Imports no target.

    Raises:
        UnknownNameError: there is no such target, or no such backend of it.
    """
    target, colon, backend = name.partition(":")
    backends = TARGETS[target].backends
    if colon and backend not in backends:
        raise UnknownNameError(f"backend of {target}", backend, backends)


def executor_of(
    name: str,
    graph: Graph,
    calibration: Callable[[], Tensor],
    steps: int | None = None,
) -> Executor:
    """The executor of `TARGET`, or of one backend of it as `TARGET:BACKEND`.

    Args:
        calibration: gives frames `[T, B, *shape]` to choose scales by; called where needed.
        steps: T of the frames to come, for targets that write steps out; that of the sample which
            was traced if not given.

    Raises:
        UnknownNameError: there is no such target, or no such backend of it here.
        UnsupportedError: the target cannot carry the graph.
    """
    check_name(name)
    named, _, backend = name.partition(":")
    target = TARGETS[named]
    if backend in ("", target.backends[0] if target.backends else ""):
        return target.executor(graph, calibration)
    if target.lower is None:
        raise UsageError("this target has no backends to choose from.", where=name)
    options: dict[str, Any] = {"calibration": calibration()} if target.calibrated else {}
    if target.unrolled and steps is not None:
        options["steps"] = steps
    return BackendExecutor(target.lower(graph, **options), backend)


class BackendExecutor:
    """One backend of a lowered network behind the protocol of executors.

    Backends show spikes only. A tap sees every edge: what stands between neurons follows from the
    spikes that the backend emitted, and is computed in float64, which holds the whole numbers of
    fixed point exactly.

    Raises:
        UnknownNameError: there is no such backend here.
    """

    def __init__(self, lowered: Lowered, backend: str) -> None:
        self._lowered, self._backend = lowered, chosen_backend(lowered, backend)

    @property
    def graph(self) -> Graph:
        return self._lowered.graph

    @property
    def latency(self) -> int:
        """Steps by which the last neurons lag behind the input on the target."""
        return self._lowered.latency

    @property
    def dtype(self) -> str:
        """What tells this executor from others in settings."""
        return self._backend

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Raises:
            UnsupportedError: a tap is given, and a neuron in a feedback loop computes other spikes
                in float64 than the backend did.
            SpikeportError: the frames do not suit the graph, or the backend fails.
        """
        ran = self._lowered.run(frames, backend=self._backend, spikes=tap is not None)
        if tap is not None:
            _Replay(self.graph, ran.spikes).run(frames, _same_spikes(ran.spikes, tap))
        return ran.outputs


class _Replay(Interpreter):
    """Everything between neurons that emit given spikes."""

    def __init__(self, graph: Graph, spikes: Mapping[str, Tensor]) -> None:
        super().__init__(graph, torch.float64)
        self._spikes = spikes

    def stateful(self, node: Node, op: Stateful, current: Tensor) -> Tensor:
        if not isinstance(op, Neuron):
            return super().stateful(node, op, current)
        return self._spikes[node.name].to(self.dtype)


def _same_spikes(spikes: Mapping[str, Tensor], tap: Tap) -> Tap:
    """The tap, once it is sure that the neurons shown are those of the backend: the interpreter
    steps through feedback loops itself."""

    def checked(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron) and not bool((value.bool() == spikes[node.name]).all()):
            raise UnsupportedError(
                "it stands in a feedback loop, where values between the spikes of this backend "
                "cannot be told.",
                where=node.path or node.name,
                fix="Evaluate it without energy, curve and early exit, or on the target's own "
                "executor.",
            )
        tap(node, value)

    return checked
