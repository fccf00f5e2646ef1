"""A model in onnxruntime."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence

import torch
from onnx import ModelProto, ValueInfoProto, helper

from spikeport.core.errors import MissingPackageError
from spikeport.targets.onnx.emitter import Array
from spikeport.targets.onnx.errors import OnnxRunError


def onnxruntime_missing() -> str:
    """Why onnxruntime cannot be used here, "" if it can. Does not import it."""
    found = importlib.util.find_spec("onnxruntime") is not None
    return "" if found else "onnxruntime is not installed."


class Session:
    """Runs a model on the CPU, with as many threads as PyTorch is set to use.

    Args:
        watch: values to return as well, behind the outputs.

    Raises:
        MissingPackageError: onnxruntime is not installed.
        OnnxRunError: it refuses the model.
    """

    def __init__(self, model: ModelProto, watch: Sequence[str] = ()) -> None:
        if reason := onnxruntime_missing():
            raise MissingPackageError(
                reason, where="onnx", fix="Run `uv sync`, or `uv pip install onnxruntime`."
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; it warns of initializers that it folds away
        content = watching(model, watch).SerializeToString()
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise OnnxRunError(
                f"onnxruntime {onnxruntime.__version__} refuses the model: {error}",
                where=model.graph.name,
                fix="Update onnxruntime; it must read opset 20 and IR version 10.",
            ) from error
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Values by name.

        Raises:
            OnnxRunError: the run failed.
        """
        try:
            results = self._session.run(None, dict(feeds))
        except Exception as error:
            raise OnnxRunError(f"onnxruntime failed: {error}", where="onnxruntime") from error
        return dict(zip(self.outputs, results, strict=True))


def watching(model: ModelProto, names: Sequence[str]) -> ModelProto:
    """The model with more of its values as outputs; the model itself is not changed."""
    present = {value.name for value in (*model.graph.output, *model.graph.input)}
    wanted = [name for name in dict.fromkeys(names) if name not in present]
    if not wanted:
        return model
    changed = ModelProto()
    changed.CopyFrom(model)
    kind = model.graph.input[0].type.tensor_type.elem_type
    changed.graph.output.extend(_untold_shape(name, kind) for name in wanted)
    return changed


def _untold_shape(name: str, kind: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, None)
