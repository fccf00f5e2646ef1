"""Trained weights: reading, checking and writing them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from spikeport.core.checking import problems
from spikeport.core.checkpoint import CheckpointReport, fill, read_weights
from spikeport.core.errors import FileError, UsageError
from spikeport.core.tensors import save_tensors
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
        chosen_by: what picked these weights among the epochs: "last epoch" or "validation split",
            never the test split.
        epoch: whose weights they are, counted from 1; None in files of before.
        validation_samples, validation_accuracy: what was held out of training, and the accuracy on
            it.
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
    chosen_by: str = "last epoch"
    epoch: int | None = None
    validation_samples: int = 0
    validation_accuracy: float | None = None


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
        raise FileError(
            "the description in this checkpoint is damaged or of another version "
            f"({problems(error)}).",
            where=where,
            fix="Use the Spikeport that wrote it, or train again.",
        ) from error


def shipped_models() -> list[str]:
    """Names of the models that trained weights come with."""
    return sorted(found.stem for found in _WEIGHTS.glob("*.safetensors"))


def shipped_weights(name: str) -> Path:
    """Path of the trained weights that come with model `name`.

    Raises:
        UnknownNameError: no model has this name.
        UsageError: no weights come with it.
    """
    if MODELS[name] and not (path := _WEIGHTS / f"{name}.safetensors").is_file():
        raise UsageError(
            "no trained weights come with this model.",
            where=name,
            fix=f"Name a checkpoint file, or use a model that has weights: "
            f"{', '.join(shipped_models())}. "
            "To look at its structure, spikeport trace, show and check take --untrained.",
        )
    return path


def load_model(
    name: str,
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    ema: bool = False,
    **options: Any,
) -> ZooModel:
    """Build model `name` with trained weights, in eval mode.

    Args:
        name: a key of `MODELS`.
        checkpoint: any file that `load_checkpoint` reads; None for the weights that come with the
            model.
        ema: take the running mean of the weights that the checkpoint stores beside them.
        options: options of the model. A checkpoint that `fit` wrote knows its own; those given
            here come first.

    Raises:
        UnknownNameError: no model has this name.
        UsageError: an option cannot be, or no weights come with the model.
        FileError: the checkpoint is missing, truncated, foreign or unsafe, or its weights are not
            those of this model; names the differences.
    """
    return load_model_and_report(name, checkpoint, ema=ema, **options)[0]


def load_model_and_report(
    name: str,
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    ema: bool = False,
    **options: Any,
) -> tuple[ZooModel, CheckpointReport]:
    """`load_model`, and what loading the weights did."""
    path = Path(checkpoint) if checkpoint is not None else shipped_weights(name)
    # An unknown name or option is the clearer error, so it comes before reading the file.
    model = create_model(name, **options)
    weights = read_weights(path, ema=ema)
    info = checkpoint_info(weights.metadata, str(path))
    if info is not None:
        if info.model != name:
            raise FileError(
                f"this checkpoint holds a {info.model}, not a {name}.",
                where=str(path),
                fix=f"Load it as {info.model}.",
            )
        model = create_model(name, **{**info.options, **options})
    report = fill(model, weights)
    return model.eval(), report
