"""Weights that are not those of the model: each difference is told, the model stays as it was."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from spikeport.core.checkpoint import Difference, MisfitError, load_checkpoint
from spikeport.core.errors import FileError, SpikeportError, UnsupportedError

Weights = dict[str, Tensor]


def build(width: int = 4, classes: int = 10) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, classes)
    )


def refused(
    weights: object, folder: Path, told: str, model: nn.Module | None = None, **options: Any
) -> SpikeportError:
    """Refused, and the model is left as it was."""
    model = model or build()
    path = folder / "c.pth"
    torch.save(weights, path)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(SpikeportError, match=told) as caught:
        load_checkpoint(model, path, **options)
    assert caught.value.fix and caught.value.where
    if not any(value.is_meta for value in before.values()):
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    return caught.value


def test_every_difference_is_listed_with_both_shapes(tmp_path: Path) -> None:
    weights = build().state_dict()
    del weights["0.bias"]
    weights["extra"] = torch.zeros(3)
    weights["1.weight"] = torch.zeros(5)
    weights["1.num_batches_tracked"] = torch.tensor(1.5)
    error = refused(weights, tmp_path, "not the weights of this model")
    assert isinstance(error, MisfitError)
    assert error.differences == (
        Difference("0.bias", "missing", None, ((4,), "float")),
        Difference("1.weight", "of another shape", ((5,), "float"), ((4,), "float")),
        Difference("1.num_batches_tracked", "of another kind", ((), "float"), ((), "integer")),
        Difference("extra", "unexpected", ((3,), "float"), None),
    )
    assert str(error).splitlines()[1:] == [
        "  0.bias: nothing in the file, [4] in the model (missing)",
        "  1.weight: [5] in the file, [4] in the model (of another shape)",
        "  1.num_batches_tracked: [] in the file, integer [] in the model (of another kind)",
        "  extra: [3] in the file, nothing in the model (unexpected)",
    ]
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.differences == error.differences


def test_a_long_list_is_cut_but_kept_as_data(tmp_path: Path) -> None:
    weights = {f"w{index}": torch.zeros(2) for index in range(100)}
    error = refused(weights, tmp_path, r"unexpected: w0, w1, w2 and 97 more")
    assert isinstance(error, MisfitError)
    assert len(error.differences) == 109
    assert len(str(error).splitlines()) == 22 and "and 89 more (see `differences`)" in str(error)


def _drop(weights: Weights) -> Weights:
    return dict(list(weights.items())[:-1])


def _swap(weights: Weights) -> Weights:
    items = list(weights.items())
    items[1], items[2], items[7] = items[7], items[1], items[2]
    return dict(items)


def _cross(weights: Weights) -> Weights:
    """Two entries of one shape change places; both names are known to the model."""
    items = list(weights.items())
    index = {name: place for place, (name, _) in enumerate(items)}
    a, b = index["x.1.weight"], index["x.1.bias"]
    items[a], items[b] = ("1.bias", items[a][1]), ("1.weight", items[b][1])
    return dict(items)


def _float_counter(weights: Weights) -> Weights:
    return {n: v.float() for n, v in weights.items()}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_drop, r"8 entries in the file, 9 in the model"),
        (_swap, r"entry 2 is x\.3\.weight \[10, 4\] in the file, 0\.bias \[4\] in the model"),
        (_cross, r"entry 3 is 1\.bias in the file, 1\.weight in the model, which both know"),
        (_float_counter, r"entry 7 is x\.1\.num_batches_tracked \[\] in the file, .* integer \[\]"),
    ],
)
def test_positions_that_do_not_agree(
    tmp_path: Path, change: Callable[[Weights], Weights], told: str
) -> None:
    weights = {f"x.{name}": value for name, value in build().state_dict().items()}
    refused(change(weights), tmp_path, f"missing: .* Nor do they fit by position: .*{told}")


def test_positions_that_are_not_wanted(tmp_path: Path) -> None:
    weights = {f"x.{name}": value for name, value in build().state_dict().items()}
    refused(weights, tmp_path, "by position: not allowed", by_position=False)


def test_safetensors_know_no_positions(tmp_path: Path) -> None:
    weights = {f"x.{name}": value for name, value in build().state_dict().items()}
    save_file(weights, tmp_path / "c.safetensors")
    with pytest.raises(MisfitError, match="does not keep the order"):
        load_checkpoint(build(), tmp_path / "c.safetensors")


def test_the_same_names_with_other_shapes_are_never_matched_by_position(tmp_path: Path) -> None:
    error = refused(build(width=5).state_dict(), tmp_path, r"\[5, 2, 3, 3\] instead of \[4, 2, 3")
    assert "position" not in str(error)


def test_another_number_of_classes(tmp_path: Path) -> None:
    error = refused(
        build(classes=11).state_dict(),
        tmp_path,
        r"tells 11 classes apart, the model 10\..*num_classes=11",
    )
    assert isinstance(error, MisfitError)
    assert [entry.name for entry in error.differences] == ["3.weight", "3.bias"]


def test_classes_are_not_blamed_for_other_differences(tmp_path: Path) -> None:
    weights = build(classes=11).state_dict()
    weights["1.weight"] = torch.zeros(5)
    error = refused(weights, tmp_path, "not the weights of this model")
    assert "3.weight is [11, 4] instead of [10, 4]" in str(error)
    weights = build().state_dict()
    weights["3.weight"] = torch.zeros(10, 5)
    refused(weights, tmp_path, "not the weights of this model")
    weights["3.weight"] = torch.zeros(())
    refused(weights, tmp_path, "not the weights of this model")


def test_a_counter_that_became_a_float_stays_out(tmp_path: Path) -> None:
    weights = {name: value.float() for name, value in build().state_dict().items()}
    refused(weights, tmp_path, r"of another kind: 1\.num_batches_tracked is \[\] instead of int")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    weights = build().state_dict()
    weights["1.bias"] = torch.tensor([0.0, 1.0, value, 2.0])
    refused(weights, tmp_path, "infinite or not a number: 1.bias.*allow_non_finite")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.complex64])
def test_weights_that_are_not_finite_in_other_number_types(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    model = nn.Module()
    model.w = nn.Parameter(torch.zeros(3, dtype=torch.complex64 if dtype.is_complex else None))
    save_file({"w": torch.tensor([1.0, float("nan"), 2.0]).to(dtype)}, tmp_path / "c")
    with pytest.raises(FileError, match="not a number: w"):
        load_checkpoint(model, tmp_path / "c")
    save_file({"w": torch.tensor([1.0, 0.5, 2.0]).to(dtype)}, tmp_path / "c")
    load_checkpoint(model, tmp_path / "c")
    assert torch.equal(model.w.detach().real, torch.tensor([1.0, 0.5, 2.0]))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_at_the_end_of_a_large_entry(
    tmp_path: Path, value: float
) -> None:
    model = nn.Linear(2**11, 2**10 + 1)
    weights = model.state_dict()
    weights["weight"] = weights["weight"].clone()
    weights["weight"][-1, -7] = value
    refused(weights, tmp_path, "not a number: weight", model)


def test_weights_too_large_for_the_models_number_type(tmp_path: Path) -> None:
    weights = build().state_dict()
    weights["1.bias"] = torch.full((4,), 1e6)
    refused(weights, tmp_path, "1.bias has numbers too large for torch.float16", build().half())
    weights = {"w": torch.tensor([2**40])}
    model = nn.Module()
    model.register_buffer("w", torch.tensor([1], dtype=torch.int32))
    refused(weights, tmp_path, "too large for torch.int32", model)


def test_one_parameter_with_two_values(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    model[1].weight = model[0].weight
    refused(weights, tmp_path, "0.weight and 1.weight are one parameter", model)


def test_a_model_without_memory(tmp_path: Path) -> None:
    error = refused(build().state_dict(), tmp_path, "0.weight", build().to("meta"))
    assert isinstance(error, UnsupportedError)


def test_a_model_that_makes_its_state_dict_up(tmp_path: Path) -> None:
    class Scaled(nn.Linear):
        def get_extra_state(self) -> Tensor:
            return torch.ones(1)

        def set_extra_state(self, state: Tensor) -> None:
            pass

    error = refused({}, tmp_path, "state dict")
    model = Scaled(2, 2)
    error = refused(model.state_dict(), tmp_path, "_extra_state", model)
    assert isinstance(error, UnsupportedError)


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ({"state_dict": 1, "epoch": 2}, {"ema": True}, "no running mean.*state_dict, epoch"),
        ({"w": torch.ones(1)}, {"ema": True}, "no running mean"),
        ({"state_dict_ema": {"w": torch.ones(1)}}, {}, "only a running mean.*ema=True"),
        ({"model": {"w": torch.ones(1)}, "net": {"w": torch.ones(1)}}, {}, "several.*key='model'"),
        ({"model": {"w": torch.ones(1)}}, {"key": "ema"}, "nothing under 'ema'.*holds model"),
        ({"model": {"w": [1, 2]}}, {}, "entry 'w' is not a tensor"),
        ({"model": {}}, {}, "empty dictionary"),
    ],
)
def test_a_file_without_the_weights_asked_for(
    tmp_path: Path, content: object, options: dict[str, Any], told: str
) -> None:
    assert isinstance(refused(content, tmp_path, told, **options), FileError)
