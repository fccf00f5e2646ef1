"""Every container that weights come in."""

from __future__ import annotations

import argparse
import json
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from timm.utils import CheckpointSaver, ModelEmaV2
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

from spikeport.core.checkpoint import load_checkpoint, read_weights


def build() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 10))


def trained(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    model = build()
    for value in model.state_dict().values():
        value.copy_(torch.rand(value.shape) if value.is_floating_point() else torch.tensor(7))
    return model


def same(model: nn.Module, other: nn.Module) -> bool:
    ours, theirs = model.state_dict(), other.state_dict()
    return all(torch.equal(ours[name], value) for name, value in theirs.items())


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_torch_checkpoints_are_read_with_their_usual_wrappers(
    tmp_path: Path, wrapper: str | None
) -> None:
    weights = {"w": torch.ones(2)}
    torch.save(weights if wrapper is None else {wrapper: weights, "epoch": 3}, tmp_path / "c.pt")
    back = read_weights(tmp_path / "c.pt")
    assert torch.equal(back.tensors["w"], torch.ones(2))
    assert back.key == (wrapper or "") and back.beside == (("epoch",) if wrapper else ())


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.pth.tar", "w.bin", "w"])
@pytest.mark.parametrize("new", [True, False])
def test_torch_files_are_known_by_content(tmp_path: Path, name: str, new: bool) -> None:
    torch.save(trained().state_dict(), tmp_path / name, _use_new_zipfile_serialization=new)
    model = build()
    report = load_checkpoint(model, tmp_path / name)
    assert same(model, trained())
    assert report.container.startswith("torch file") and report.matched_by == "name"
    assert ("before torch 1.6" in report.container) == (not new)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w"])
def test_safetensors_files_are_known_by_content(tmp_path: Path, name: str) -> None:
    save_file(trained().state_dict(), tmp_path / name, {"of": "something"})
    model = build()
    report = load_checkpoint(model, tmp_path / name)
    assert same(model, trained()) and report.container == "safetensors file"
    assert read_weights(tmp_path / name).metadata == {"of": "something"}


def test_every_length_of_a_safetensors_header_is_told_from_an_index(tmp_path: Path) -> None:
    # The length stands first; where its lowest byte is a brace it looks like JSON.
    starts = set()
    for padding in range(256):
        save_file({"w": torch.ones(1)}, tmp_path / "w", {"pad": "x" * padding})
        starts.add((tmp_path / "w").read_bytes()[:1])
        assert torch.equal(read_weights(tmp_path / "w").tensors["w"], torch.ones(1))
    assert len(starts) == 32  # padded to eight bytes

    text = json.dumps({"__metadata__": {"pad": "x"}, "w": _entry()})
    header = text.encode().ljust(0x7B)
    (tmp_path / "w").write_bytes((0x7B).to_bytes(8, "little") + header + bytes(4))
    assert torch.equal(read_weights(tmp_path / "w").tensors["w"], torch.zeros(1))


def _entry() -> dict[str, object]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize("torch_parts", [True, False])
def test_several_files_with_an_index(tmp_path: Path, torch_parts: bool) -> None:
    weights = trained().state_dict()
    names = list(weights)
    places = {name: f"part-{index % 2}" for index, name in enumerate(names)}
    for part in ("part-0", "part-1"):
        of_part = {name: weights[name] for name in names if places[name] == part}
        save = torch.save if torch_parts else save_file
        save(of_part, tmp_path / part)
    index = tmp_path / "model.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}, indent=2))
    model = build()
    assert load_checkpoint(model, index).container == "index of 2 files"
    assert same(model, trained())


def timm_file(folder: Path, metric: object = None, **options: object) -> Path:
    """What timm's own saver writes after an epoch."""
    model = trained()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.rand(2, 2, 3, 3)).sum().backward()
    optimizer.step()
    saved = trained()
    model.load_state_dict(saved.state_dict())
    args = argparse.Namespace(model="max_former", lr=1e-3, betas=[0.9, 0.99], resume=None)
    saver = CheckpointSaver(model, optimizer, args, checkpoint_dir=str(folder), **options)
    saver.save_checkpoint(3, metric)
    return folder / "last.pth.tar"


@pytest.mark.parametrize(
    "metric",
    [81.5, np.float64(81.5), np.float32(81.5), np.int64(81), np.bool_(True), np.complex64(1j)],
)
def test_the_file_of_timms_saver(tmp_path: Path, metric: object) -> None:
    path = timm_file(tmp_path, metric)
    model = build()
    report = load_checkpoint(model, path)
    assert same(model, trained())
    assert report.key == "state_dict"
    assert {"epoch", "arch", "optimizer", "version", "args", "metric"} <= set(report.beside)


def test_numpy_scalars_of_numpy_1_and_big_endian_machines(tmp_path: Path) -> None:
    torch.save({"state_dict": {"w": torch.ones(2)}, "metric": np.float64(2)}, tmp_path / "new.pt")
    with zipfile.ZipFile(tmp_path / "new.pt") as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    assert b"numpy._core.multiarray" in members["new/data.pkl"]
    members["new/data.pkl"] = members["new/data.pkl"].replace(b"numpy._core", b"numpy.core")
    with zipfile.ZipFile(tmp_path / "old.pt", "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    assert torch.equal(read_weights(tmp_path / "old.pt").tensors["w"], torch.ones(2))

    value = np.array([2.0], ">f8")[0]
    torch.save({"state_dict": {"w": torch.ones(2)}, "metric": value}, tmp_path / "big.pt")
    assert torch.equal(read_weights(tmp_path / "big.pt").tensors["w"], torch.ones(2))


def test_ema_of_timm_is_taken_only_when_asked_for(tmp_path: Path) -> None:
    path = timm_file(tmp_path, 0.5, model_ema=ModelEmaV2(trained(seed=1)))
    model = build()
    assert load_checkpoint(model, path).key == "state_dict"
    assert same(model, trained())
    assert load_checkpoint(model, path, ema=True).key == "state_dict_ema"
    assert same(model, trained(seed=1))


def test_ema_of_an_averaged_model(tmp_path: Path) -> None:
    average = AveragedModel(trained(seed=1), use_buffers=True)
    content = {"model": trained().state_dict(), "model_ema": average.state_dict()}
    torch.save(content, tmp_path / "c.pth")
    model = build()
    report = load_checkpoint(model, tmp_path / "c.pth", ema=True)
    assert same(model, trained(seed=1))
    assert report.key == "model_ema" and report.prefix == "module."
    assert [entry.source for entry in report.ignored] == ["n_averaged"]
    assert "running mean" in report.ignored[0].why


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]
)
def test_prefixes_of_wrappers(tmp_path: Path, prefix: str) -> None:
    torch.save({prefix + k: v for k, v in trained().state_dict().items()}, tmp_path / "c.pt")
    model = build()
    report = load_checkpoint(model, tmp_path / "c.pt")
    assert same(model, trained()) and report.prefix == prefix and report.matched_by == "name"
    assert f"{prefix!r} removed" in str(report)


def test_a_model_whose_own_names_begin_like_a_wrapper(tmp_path: Path) -> None:
    model, source = nn.Module(), nn.Module()
    model.module, source.module = build(), trained()
    torch.save(source.state_dict(), tmp_path / "c.pt")
    assert load_checkpoint(model, tmp_path / "c.pt").prefix == ""
    assert same(model, source)


def test_a_state_dict_within_a_state_dict(tmp_path: Path) -> None:
    torch.save({"model": {"state_dict": trained().state_dict()}, "epoch": 1}, tmp_path / "c.pt")
    assert load_checkpoint(build(), tmp_path / "c.pt").key == "model.state_dict"


def test_a_key_of_ones_own(tmp_path: Path) -> None:
    content = {"mine": trained().state_dict(), "model": trained(1).state_dict()}
    torch.save(content, tmp_path / "c.pt")
    model = build()
    assert load_checkpoint(model, tmp_path / "c.pt", key="mine").beside == ("model",)
    assert same(model, trained())


def test_parameters_views_and_shared_storages(tmp_path: Path) -> None:
    base = torch.arange(24.0)
    weights: dict[str, Tensor] = OrderedDict(
        a=nn.Parameter(torch.rand(3)),
        b=base.reshape(4, 6).t(),
        c=base[3:5],
        d=torch.tensor(3),
        e=torch.empty(0, 5),
        f=torch.rand(2).expand(3, 2),
        g=torch.rand(3).bfloat16(),
    )
    for new in (True, False):
        torch.save(weights, tmp_path / "c.pt", _use_new_zipfile_serialization=new)
        back = read_weights(tmp_path / "c.pt").tensors
        assert all(torch.equal(back[name], value) for name, value in weights.items())
        assert not any(value.requires_grad for value in back.values())


def test_what_the_process_allows_is_neither_used_nor_lost(tmp_path: Path) -> None:
    torch.save({"state_dict": {"w": torch.ones(1)}, "args": argparse.Namespace()}, tmp_path / "c")
    before = get_safe_globals()
    add_safe_globals([argparse.Namespace, np.dtype, (max, "builtins.max")])
    try:
        allowed = set(get_safe_globals())
        read_weights(tmp_path / "c")
        assert set(get_safe_globals()) == allowed
    finally:
        clear_safe_globals()
        add_safe_globals(before)
    read_weights(tmp_path / "c")
    assert set(get_safe_globals()) == set(before)
