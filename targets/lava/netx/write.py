"""The layers as HDF5 datasets."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv
from spikeport.core.errors import MissingPackageError
from spikeport.core.files import atomic_path
from spikeport.targets.lava.limits import CURRENT_SHIFT
from spikeport.targets.lava.netx.chain import Link
from spikeport.targets.lava.ops import LavaLIF


def write_net(input_shape: tuple[int, ...], chain: Sequence[Link], path: Path) -> None:
    """Write a checked chain.

    Raises:
        MissingPackageError: h5py is not installed.
        FileError: the file cannot be written.
    """
    h5py = _h5py()
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        layers = _Layers(file)
        layers.add("input", shape=_chw(input_shape))
        for link in chain:
            if link.flattened:
                layers.add("flatten")
            group = _synapse(layers, link)
            _neuron(group, cast(LavaLIF, link.neuron.op), link.neuron)


class _Layers:
    """Numbered groups, as netx expects them."""

    def __init__(self, file: Any) -> None:
        self._group, self._count = file.create_group("layer"), 0

    def add(self, kind: str, **datasets: Any) -> Any:
        group = self._group.create_group(str(self._count))
        self._count += 1
        group.create_dataset("type", (1,), "S10", np.array([kind], "S10"))
        for name, value in datasets.items():
            group.create_dataset(name, data=value)
        return group


def _synapse(layers: _Layers, link: Link) -> Any:
    op, shape = link.synapse.op, _chw(link.neuron.shape)
    weight = _integers(op.tensors()["weight"])
    if not isinstance(op, Conv):
        outputs, inputs = weight.shape
        return layers.add(
            "dense", shape=shape, weight=weight, inFeatures=inputs, outFeatures=outputs
        )
    return layers.add(
        "conv",
        shape=shape,
        weight=weight,
        stride=np.array(op.stride),
        padding=np.array(op.padding),
        dilation=np.array(op.dilation),
        groups=op.groups,
        inChannels=op.in_channels,
        outChannels=op.out_channels,
        kernelSize=np.array(op.kernel),
    )


def _neuron(group: Any, op: LavaLIF, node: Node) -> None:
    if op.bias_mant is not None:
        # netx gives biases the exponent 6; `check_net` has seen that they are whole at that one.
        membrane = op.bias_mant.long() << op.bias_exp
        whole = (membrane >> CURRENT_SHIFT).expand(node.shape)
        per_channel = whole if whole.ndim == 1 else whole.flatten(1)[:, 0]
        group.create_dataset("bias", data=_integers(per_channel))
    neuron = group.create_group("neuron")
    neuron.create_dataset("type", (1,), "S10", np.array(["CUBA"], "S10"))
    values = {
        "iDecay": op.du + 1,
        "vDecay": op.dv,
        "vThMant": op.vth,
        "refDelay": 1,
        "gradedSpike": False,
    }
    for name, value in values.items():
        neuron.create_dataset(name, data=value)


def _chw(shape: tuple[int, ...]) -> Any:
    """[C, H, W]; [N] is [N, 1, 1]."""
    return np.array(shape if len(shape) == 3 else (*shape, 1, 1))


def _integers(value: Tensor) -> Any:
    return value.cpu().numpy().astype(np.int32)


def _h5py() -> Any:
    try:
        return importlib.import_module("h5py")
    except ModuleNotFoundError as failure:
        raise MissingPackageError(
            "h5py is not installed.", where="h5py", fix="Install spikeport with its extra 'lava'."
        ) from failure
