"""onnxruntime as an executor of single steps."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.convert.streaming import check_frame, check_step, require_streamable, step_limit
from spikeport.targets.onnx.files import prepared, step_model
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.running import StepRunner
from spikeport.targets.onnx.steps import traced_steps


class OnnxStepExecutor:
    """Runs the step graph in onnxruntime; see `StepExecutor`. A tap is shown the neurons.

    Args:
        graph: as traced.
        dtype: what it computes in.

    Raises:
        UnsupportedError: the graph cannot be streamed, or not be written in ONNX.
        MissingPackageError: onnxruntime is not installed.
    """

    def __init__(self, graph: Graph, dtype: Literal["float32", "float64"] = "float32") -> None:
        require_streamable(graph)
        # T is that of the unrolled graph, which is not written; the file has to name one.
        options = OnnxOptions(dtype=dtype)
        self._graph = prepared(graph, options)
        steps = options.model_copy(update={"steps": _steps(graph)})
        self._model = step_model(self._graph, steps)
        self._runners: dict[bool, StepRunner] = {}
        self.reset()

    @property
    def graph(self) -> Graph:
        return self._graph

    def reset(self) -> None:
        self._taken = 0
        self._last: StepRunner | None = None

    def _runner(self, watched: bool) -> StepRunner:
        """With the states as the step before left them; made when it is first asked for."""
        if watched not in self._runners:
            neurons = [node for node in self._graph if isinstance(node.op, Neuron)]
            self._runners[watched] = StepRunner(
                self._model, self._graph, neurons if watched else ()
            )
        runner = self._runners[watched]
        if self._last is None:
            runner.reset()
        else:
            runner.take_over(self._last)
        self._last = runner
        return runner

    def step(self, frame: Tensor, tap: Tap | None = None) -> Tensor:
        check_frame(self._graph, tuple(frame.shape))
        check_step(self._graph, self._taken)
        runner = self._runner(tap is not None)
        output, watched = runner.step(frame)
        self._taken += 1
        for name, value in watched.items() if tap is not None else ():
            node = self._graph[name]
            tap(node, value.unsqueeze(0) if node.per_step else value)  # type: ignore[misc]
        return output


def _steps(graph: Graph) -> int:
    """A number of steps that the unrolled graph could have."""
    return step_limit(graph) or traced_steps(graph) or 1
