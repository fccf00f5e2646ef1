"""Trained weights: reading, checking and writing them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from spikeport.core.errors import FileError, UsageError
from spikeport.core.tensors import load_state_dict, save_tensors
from spikeport.train.models import MODELS, ZooModel, create_model
from spikeport.train.recipe import Recipe

_KEY = "spikeport.checkpoint"
_WEIGHTS = Path(__file__).parent / "weights"


class CheckpointInfo(BaseModel):
    """What a checkpoint written by `fit` says about itself.

    Attributes:
        model, options: what `create_model` was called with.
        recipe, recipe_hash: how it was trained.
        accuracy: share of correct answers of exactly these weights on `test_samples` samples.
        provenance: where the data came from.
        versions: of the packages that took part.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    model: str
    options: dict[str, Any]
    recipe: Recipe
    recipe_hash: str
    accuracy: float
    test_samples: int
    provenance: str
    versions: dict[str, str]


def save_checkpoint(path: str | os.PathLike[str], model: nn.Module, info: CheckpointInfo) -> None:
    """Write the weights of `model` and `info` to one safetensors file, atomically."""
    save_tensors(path, model.state_dict(), {_KEY: info.model_dump_json()})


def checkpoint_info(metadata: Mapping[str, str], where: str = "") -> CheckpointInfo | None:
    """Read the metadata of a checkpoint; None if Spikeport did not write it.

    Raises:
        FileError: the metadata are damaged or of another version.
    """
    if _KEY not in metadata:
        return None
    try:
        return CheckpointInfo.model_validate_json(metadata[_KEY])
    except ValidationError as error:
        first = error.errors()[0]
        raise FileError(
            "the description in this checkpoint is damaged or of another version "
            f"({'.'.join(map(str, first['loc']))}: {first['msg']}).",
            where=where,
            fix="Use the Spikeport that wrote it, or train again.",
        ) from error


def shipped_weights(name: str) -> Path:
    """Path of the trained weights that come with model `name`.

    Raises:
        UnknownNameError: no model has this name.
        UsageError: no weights come with it.
    """
    if MODELS[name] and not (path := _WEIGHTS / f"{name}.safetensors").is_file():
        shipped = ", ".join(sorted(found.stem for found in _WEIGHTS.glob("*.safetensors")))
        raise UsageError(
            "no trained weights come with this model.",
            where=name,
            fix=f"Name a checkpoint file, or use a model that has weights: {shipped}.",
        )
    return path


def load_model(
    name: str, checkpoint: str | os.PathLike[str] | None = None, **options: Any
) -> ZooModel:
    """Build model `name` with trained weights, in eval mode.

    Args:
        name: a key of `MODELS`.
        checkpoint: a safetensors file, or a torch file that holds only a state dict; None for the
            weights that come with the model.
        options: options of the model. A checkpoint that `fit` wrote knows its own; those given
            here come first.

    Raises:
        UnknownNameError: no model has this name.
        UsageError: an option cannot be, or no weights come with the model.
        FileError: the checkpoint is missing, truncated, foreign or unsafe, or its weights are not
            those of this model; names the first differences.
    """
    path = Path(checkpoint) if checkpoint is not None else shipped_weights(name)
    # An unknown name or option is the clearer error, so it comes before reading the file.
    create_model(name, **options)
    weights, metadata = load_state_dict(path)
    info = checkpoint_info(metadata, str(path))
    if info is not None:
        if info.model != name:
            raise FileError(
                f"this checkpoint holds a {info.model}, not a {name}.",
                where=str(path),
                fix=f"Load it as {info.model}.",
            )
        options = {**info.options, **options}
    model = create_model(name, **options)
    _compare(model, weights, str(path))
    model.load_state_dict(weights)
    return model.eval()


def _compare(model: ZooModel, weights: Mapping[str, Tensor], where: str) -> None:
    expected = model.state_dict()
    bias = weights.get("head.bias")
    found_classes = len(bias) if bias is not None and bias.dim() == 1 else 0
    if found_classes not in (0, model.options.num_classes):
        raise FileError(
            f"this checkpoint tells {found_classes} classes apart, "
            f"the model {model.options.num_classes}.",
            where=where,
            fix=f"Create the model with num_classes={found_classes}, or use another checkpoint.",
        )
    missing = [key for key in expected if key not in weights]
    unexpected = [key for key in weights if key not in expected]
    misshapen = [
        f"{key} is {list(weights[key].shape)} instead of {list(expected[key].shape)}"
        for key in expected
        if key in weights and weights[key].shape != expected[key].shape
    ]
    findings = [
        f"{what}: {_some(names)}"
        for what, names in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of another shape", misshapen),
        )
        if names
    ]
    if findings:
        raise FileError(
            f"these are not the weights of this model ({'; '.join(findings)}).",
            where=where,
            fix="Give the model's name and options as they were in training.",
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
