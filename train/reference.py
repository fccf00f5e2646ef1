"""Networks, weights and inputs of the reference runs, made anew from their manifests.

A manifest names a published program, how it was called, and every entry of its state dict. Weights
and inputs follow from names and shapes by one recipe, so none are stored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from math import prod, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikeport.core.errors import CheckFailed, FileError, UsageError
from spikeport.core.files import readable_file
from spikeport.train.models import create_model
from spikeport.train.models.block import Block
from spikeport.train.models.embeddings import EMBEDDINGS

Manifest = Mapping[str, Any]


def read_manifest(manifest: Manifest | str | os.PathLike[str]) -> Manifest:
    """A manifest from its file; one that was read before stays as it is.

    Raises:
        FileError: no manifest of format 1.
    """
    if isinstance(manifest, Mapping):
        return manifest
    path = readable_file(manifest, "manifest")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == 1 and content["state_dict"] and content["constructor"]:
            read: Manifest = content
            return read
    except (ValueError, KeyError, TypeError):
        pass
    raise FileError(
        "this is no manifest of format 1.", where=str(path), fix="Give a manifest.json."
    )


def reference_model(manifest: Manifest | str | os.PathLike[str]) -> nn.Module:
    """The network of a manifest with its regenerated weights, in eval mode and float32.

    Full models read the input of the published program (`[B, T, C, H, W]` frames or `[B, C, H, W]`
    images), single modules `[T, B, C, H, W]`. `reference_input` gives the input of the run.

    Raises:
        FileError: no manifest.
        UsageError: the manifest names a program or an argument that is not known.
        CheckFailed: the network's entries or the weights are not those of the manifest.
    """
    content = read_manifest(manifest)
    model = _build(content)
    _compare_entries(model, content)
    model.load_state_dict(_weights(content))
    return model.eval()


def reference_input(manifest: Manifest | str | os.PathLike[str]) -> Tensor:
    """The input of the reference run, in its own precision.

    Raises:
        FileError: no manifest.
        CheckFailed: its hash is not that of the manifest.
    """
    content = read_manifest(manifest)
    told = content["input"]
    rng = np.random.default_rng(7)
    shape = told["shape"]
    if content["kind"] == "module":
        x: NDArray[Any] = rng.standard_normal(shape) * 3.0
    elif len(shape) == 5:
        x = (rng.random(shape) < 0.05).astype(np.float32)
    else:
        x = rng.standard_normal(shape).astype(np.float32) * np.float32(0.5)
    if hashlib.sha256(x.tobytes()).hexdigest() != told["sha256_of_little_endian_bytes"]:
        raise CheckFailed(
            "the input made anew is not that of the reference run.", where=content["id"]
        )
    return torch.from_numpy(x)


_MODELS = {
    ("event", "max_former"): "max_former_event",
    ("event", "ms_qkformer"): "ms_qkformer_event",
    ("cifar10-100", "max_former"): "max_former_cifar",
    ("cifar10-100", "ms_qkformer"): "ms_qkformer_cifar",
    ("cifar10-100", "max_resnet:max_resnet18"): "max_resnet18",
    ("cifar10", "model:spikformer"): "spikformer_cifar_4_384",
    ("cifar10dvs", "model:spikformer"): "spikformer_event",
    ("imagenet", "model:spikformer"): "spikformer_8_512",
    **{("imagenet", f"maxformer_10_{dim}"): f"max_former_10_{dim}" for dim in (384, 512, 768)},
    **{("imagenet", f"ms_qkformer_10_{dim}"): f"ms_qkformer_10_{dim}" for dim in (384, 512, 768)},
}
_OPTIONS = {
    "in_channels": "in_channels",
    "num_classes": "num_classes",
    "embed_dims": "dim",
    "mlp_ratios": "mlp_ratio",
    "T": "steps",
}
# Arguments that the published programs take and that change nothing in a forward pass.
_WITHOUT_EFFECT = {
    *("depths", "drop_rate", "drop_path_rate", "num_heads", "patch_size", "qkv_bias", "sr_ratios"),
    *("img_size_h", "img_size_w"),
}
_EMBEDDINGS = {
    "Embed_Orig": "orig",
    "Embed_Orig_later": "orig_later",
    "Embed_Orig_ImageNet": "orig_imagenet",
    "Embed_Max": "max",
    "Embed_Max_plus": "max_plus",
    "Embed_Avg": "avg",
}
_MIXERS = {
    "Block_SSA": "ssa",
    "Block_SSA_DWC": "ssa_dwc5",
    "Block_QKA": "qk_token",
    "Block_DWC3": "dwc3",
    "Block_DWC5": "dwc5",
    "Block_DWC7": "dwc7",
    "Block_Max": "max_pool",
    "Block_Avg": "avg_pool",
    "Block_identity": "identity",
}


def _build(manifest: Manifest) -> nn.Module:
    folder, name = manifest["official_folder"], manifest["constructor"]["name"]
    arguments = dict(manifest["constructor"]["kwargs"])
    if (folder, name) in _MODELS:
        return _full_model(
            _MODELS[folder, name], arguments, event=folder.startswith(("event", "cifar10dvs"))
        )
    hub, _, name = name.partition(":")
    builders: dict[str, Callable[..., nn.Module]] = {
        "embedding_hub": _embedding,
        "mixer_hub": _block,
    }
    if hub not in builders:
        raise UsageError(
            "no network is known by this constructor.",
            where=f"{folder}/{manifest['constructor']['name']}",
            fix="Use a manifest of one of the published programs.",
        )
    return builders[hub](folder, name, arguments)


def _full_model(model: str, arguments: dict[str, Any], *, event: bool) -> nn.Module:
    options = {}
    for name, value in arguments.items():
        if name in _OPTIONS:
            options[_OPTIONS[name]] = value
        elif name not in _WITHOUT_EFFECT:
            raise UsageError(f"argument {name} is not known.", where=model)
    if event:
        # T follows from the frames.
        options.pop("steps", None)
    return create_model(model, **options)


def _embedding(folder: str, name: str, arguments: dict[str, Any]) -> nn.Module:
    if name == "Embed_1Max":
        key = "1max_half" if folder == "imagenet" else "1max_full"
    else:
        key = _known(_EMBEDDINGS, name)
    return EMBEDDINGS[key](arguments["in_channels"], arguments["embed_dims"])


def _block(folder: str, name: str, arguments: dict[str, Any]) -> nn.Module:
    dim = arguments["dim"]
    hidden = int(dim * arguments["mlp_ratio"])
    return Block(_known(_MIXERS, name), dim, arguments.get("num_heads", 1), hidden)


def _known(names: Mapping[str, str], name: str) -> str:
    if name not in names:
        raise UsageError("no module has this name.", where=name, fix=f"Known: {', '.join(names)}.")
    return names[name]


def _compare_entries(model: nn.Module, manifest: Manifest) -> None:
    ours = [(name, list(value.shape)) for name, value in model.state_dict().items()]
    theirs = [(entry["name"], entry["shape"]) for entry in manifest["state_dict"]]
    for mine, told in zip(ours, theirs, strict=False):
        if mine != told:
            raise CheckFailed(f"the network has {mine} where {told} is told.", where=manifest["id"])
    if len(ours) != len(theirs):
        raise CheckFailed(f"{len(ours)} entries instead of {len(theirs)}.", where=manifest["id"])


def _weights(manifest: Manifest) -> dict[str, Tensor]:
    made = {e["name"]: _value(e["name"], e["shape"], e["kind"]) for e in manifest["state_dict"]}
    digest = hashlib.sha256()
    for value in made.values():
        digest.update(value.tobytes())
    if digest.hexdigest() != manifest["weights_sha256"]:
        raise CheckFailed("the weights made anew are not those of the run.", where=manifest["id"])
    return {name: torch.from_numpy(value) for name, value in made.items()}


def _value(name: str, shape: list[int], kind: str) -> NDArray[Any]:
    """One entry, from a generator seeded by its name."""
    if kind == "bn_num_batches_tracked":
        return np.array(1, np.int64)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    rng = np.random.default_rng(seed)
    draws: dict[str, Callable[[], NDArray[np.float64]]] = {
        "conv_weight": lambda: rng.standard_normal(shape) * sqrt(2 / prod(shape[1:])),
        "linear_weight": lambda: rng.standard_normal(shape) * sqrt(2 / prod(shape[1:])),
        "conv_bias": lambda: rng.standard_normal(shape) * 0.1,
        "linear_bias": lambda: rng.standard_normal(shape) * 0.1,
        "bn_weight": lambda: 1.6 + 0.8 * rng.random(shape),
        "bn_bias": lambda: 0.6 * rng.standard_normal(shape),
        "bn_running_mean": lambda: 0.1 * rng.standard_normal(shape),
        "bn_running_var": lambda: 0.5 + rng.random(shape),
        "layernorm_weight": lambda: np.ones(shape),
        "layernorm_bias": lambda: np.zeros(shape),
        "unused_parameter": lambda: np.zeros(shape),
    }
    return draws[kind]().astype(np.float32)
