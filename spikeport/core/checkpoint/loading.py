"""Weights from a checkpoint file into a model that is already built."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from spikeport.core.checkpoint.misfit import number_kind
from spikeport.core.checkpoint.pairing import pair, without_foreign, without_prefix
from spikeport.core.checkpoint.report import CheckpointReport, Loaded
from spikeport.core.checkpoint.weights import Weights, read_weights
from spikeport.core.errors import FileError, UnsupportedError

logger = logging.getLogger(__name__)

_CHUNK = 2**20
"""Elements that are looked at together, so that checking a large entry needs no copy of it."""


def load_checkpoint(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    ema: bool = False,
    key: str | None = None,
    by_position: bool = True,
    allow_non_finite: bool = False,
) -> CheckpointReport:
    """Fill `model` with the weights in a checkpoint file, entry by entry and in place.

    Reads the files of `torch.save` (whatever their suffix, of timm, SpikingJelly and others) and
    safetensors; no code from the file runs. Entries are matched by name. Where the names differ
    they are matched by position, but only if the number of entries, their order and every shape
    agree; the report and the log say so. Number types are those of the model. The model is changed
    only if everything fits.

    Args:
        model: the model as it was trained; this object is filled.
        path: the checkpoint.
        ema: take the running mean of the weights that is stored beside them.
        key: where in the file the state dict stands, if the usual names do not tell.
        by_position: whether entries may be matched by position.
        allow_non_finite: accept weights that are infinite or not a number.

    Raises:
        MisfitError: these are not the weights of the model; lists every entry with both shapes.
        FileError: the file is missing, truncated, foreign or unsafe, holds no such weights, or
            weights that are not finite or lost in the model's number type.
        UnsupportedError: the model cannot be filled in place.
    """
    weights = read_weights(path, ema=ema, key=key)
    return fill(model, weights, by_position=by_position, allow_non_finite=allow_non_finite)


def fill(
    model: nn.Module,
    weights: Weights,
    *,
    by_position: bool = True,
    allow_non_finite: bool = False,
) -> CheckpointReport:
    """Fill `model` with weights that were read; see `load_checkpoint`."""
    targets = _targets(model)
    found, averaged = without_foreign(weights.tensors, targets, model)
    found, prefix = without_prefix(found, targets)
    found, ignored = without_foreign(found, targets, model)
    sources, matched_by = pair(
        found, targets, path=weights.path, ordered=weights.ordered, by_position=by_position
    )
    non_finite = _checked(targets, sources, found, weights, allow_non_finite)
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(found[sources[name]])
    report = CheckpointReport(
        file=weights.path,
        container=weights.container,
        key=weights.key,
        prefix=prefix,
        matched_by=matched_by,
        entries=tuple(_loaded(name, targets[name], sources, found) for name in targets),
        ignored=(*averaged, *ignored),
        beside=weights.beside,
        non_finite=non_finite,
    )
    logger.log(logging.WARNING if report.remarks else logging.INFO, "%s", report)
    return report


def _loaded(
    name: str, target: Tensor, sources: Mapping[str, str], found: Mapping[str, Tensor]
) -> Loaded:
    source = sources[name]
    return Loaded(name, source, tuple(target.shape), found[source].dtype, target.dtype)


def _targets(model: nn.Module) -> dict[str, Tensor]:
    """The parameters and buffers of the state dict themselves."""
    own = {id(value) for value in (*model.parameters(), *model.buffers())}
    targets: dict[str, Tensor] = model.state_dict(keep_vars=True)
    for name, value in targets.items():
        if id(value) not in own or value.device.type == "meta":
            raise UnsupportedError(
                "this entry of the state dict is no parameter or buffer that can be filled.",
                where=name,
                fix="Build the model in memory, without hooks that change its state dict.",
            )
    return targets


def _checked(
    targets: Mapping[str, Tensor],
    sources: Mapping[str, str],
    found: Mapping[str, Tensor],
    weights: Weights,
    allow_non_finite: bool,
) -> tuple[str, ...]:
    """Names of entries that are not finite, all numbers having been looked at."""
    _refuse_two_values(targets, sources, found, weights)
    non_finite = []
    for name, target in targets.items():
        source = found[sources[name]]
        if not all(_finite(part) for part in _parts(source)):
            non_finite.append(sources[name])
        elif not all(_survives(part, target.dtype) for part in _parts(source)):
            raise FileError(
                f"its entry {sources[name]} has numbers too large for {target.dtype}, which the "
                "model keeps it in.",
                where=str(weights.path),
                fix=f"Build the model with numbers of type {source.dtype}.",
            )
    if non_finite and not allow_non_finite:
        more = f" and {len(non_finite) - 5} more" if len(non_finite) > 5 else ""
        raise FileError(
            f"some of its weights are infinite or not a number: {', '.join(non_finite[:5])}{more}.",
            where=str(weights.path),
            fix="Its training diverged: use an earlier checkpoint, or allow_non_finite=True.",
        )
    return tuple(non_finite)


def _refuse_two_values(
    targets: Mapping[str, Tensor],
    sources: Mapping[str, str],
    found: Mapping[str, Tensor],
    weights: Weights,
) -> None:
    first: dict[int, str] = {}
    for name, target in targets.items():
        other = first.setdefault(id(target), name)
        if other != name and not torch.equal(found[sources[other]], found[sources[name]]):
            raise FileError(
                f"{other} and {name} are one parameter in the model, and two values in the file.",
                where=str(weights.path),
                fix="Build the model without sharing that parameter.",
            )


def _parts(value: Tensor) -> Iterator[Tensor]:
    flat = value.reshape(-1)
    for start in range(0, len(flat), _CHUNK):
        yield flat[start : start + _CHUNK]


def _finite(part: Tensor) -> bool:
    if part.is_complex():
        return _finite(torch.view_as_real(part))
    if not part.is_floating_point():
        return True
    # The extremes carry NaN and infinity, in a fifth of the time that isfinite takes.
    low, high = (part.float() if part.itemsize == 1 else part).aminmax()
    return bool(torch.isfinite(low) & torch.isfinite(high))


def _survives(part: Tensor, dtype: torch.dtype) -> bool:
    """Whether a cast keeps whole numbers as they are and the others finite."""
    if part.dtype == dtype:
        return True
    cast = part.to(dtype)
    whole = number_kind(part) in ("integer", "bool")
    return torch.equal(cast.to(part.dtype), part) if whole else _finite(cast)
