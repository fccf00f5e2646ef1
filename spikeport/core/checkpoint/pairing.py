"""Which entry of a file goes to which entry of the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from torch import Tensor, nn

from spikeport.core.checkpoint.misfit import differences, look, misfit, told
from spikeport.core.checkpoint.report import Ignored

_WRAPPERS = ("module.", "_orig_mod.")
"""What DistributedDataParallel, AveragedModel and torch.compile put before every name."""
_AVERAGED = "n_averaged"
_PROFILED = ("total_ops", "total_params")


def without_prefix(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], str]:
    """The entries without what wrappers of the trained model put before all names, and that."""
    plain, prefix = dict(tensors), ""
    while found := next((w for w in _WRAPPERS if _all_begin(plain, w)), None):
        if _all_begin(expected, found):
            break
        plain = {name.removeprefix(found): value for name, value in plain.items()}
        prefix += found
    return plain, prefix


def _all_begin(entries: Mapping[str, Tensor], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in entries)


def without_foreign(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], model: nn.Module
) -> tuple[dict[str, Tensor], tuple[Ignored, ...]]:
    """The entries without those that are known to be no weights, and these with the reason."""
    modules = dict(model.named_modules())
    kept, ignored = {}, []
    for name, value in tensors.items():
        why = "" if name in expected else _no_weight(name, modules)
        if why:
            ignored.append(Ignored(name, why))
        else:
            kept[name] = value
    return kept, tuple(ignored)


def _no_weight(name: str, modules: Mapping[str, nn.Module]) -> str:
    """Why an entry that the model does not have is no weight; empty if it may be one."""
    parent, _, last = name.rpartition(".")
    if name == _AVERAGED:
        return "counts the steps of the running mean"
    if last in _PROFILED:
        return "left behind by a profiler"
    # SpikingJelly's neurons keep their memories out of the state dict.
    if last in getattr(modules.get(parent), "_memories", ()):
        return "state of a neuron, which starts from rest"
    return ""


def pair(
    found: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    *,
    path: Path,
    ordered: bool,
    by_position: bool,
) -> tuple[dict[str, str], Literal["name", "position"]]:
    """The file's name for each name of the model.

    Raises:
        MisfitError: they fit neither by name nor, if that is allowed, by position.
    """
    if not differences(found, expected):
        return {name: name for name in expected}, "name"
    if found.keys() == expected.keys():
        raise misfit(found, expected, path, "")
    hindrance = _no_positions(found, expected, ordered=ordered, allowed=by_position)
    if hindrance:
        raise misfit(found, expected, path, hindrance)
    return dict(zip(expected, found, strict=True)), "position"


def _no_positions(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, ordered: bool, allowed: bool
) -> str:
    """Why the entries cannot be matched by position; empty if they can."""
    if not allowed:
        return "not allowed here"
    if not ordered:
        return "this file format does not keep the order of the entries"
    if len(found) != len(expected):
        return f"{len(found)} entries in the file, {len(expected)} in the model"
    pairs = enumerate(zip(found.items(), expected.items(), strict=True), 1)
    for index, ((source, value), (name, target)) in pairs:
        if look(value) != look(target):
            return (
                f"entry {index} is {source} {told(look(value))} in the file, "
                f"{name} {told(look(target))} in the model"
            )
        if source != name and (source in expected or name in found):
            return f"entry {index} is {source} in the file, {name} in the model, which both know"
    return ""
