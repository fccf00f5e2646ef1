"""Images from the user's folders: what is read, and what is refused."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.train.data.holdout import held_out
from spikeport.train.data.image_sets import open_image_set
from spikeport.train.loop import fit, open_splits
from spikeport.train.recipe import load_recipe
from spikeport.train.samples import Drawn

SMALL = (
    *("options.dim=32", "options.heads=2", "options.steps=2", "options.num_classes=2"),
    *("epochs=2", "warmup_epochs=1", "schedule.cooldown_epochs=0", "mix.off_epoch=1"),
    *("batch_size=8", "micro_batch_size=4", "data.validation=0.25", "precision=float32"),
)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve bright and twelve dark pictures to train on, four of each to test on."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 4)):
        for name, level in (("bright", 200), ("dark", 20)):
            folder = tmp_path / "pictures" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(level, level + 50, (32, 40, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return tmp_path / "pictures"


def test_published_recipe_trains_on_pictures(pictures: Path, tmp_path: Path) -> None:
    recipe = load_recipe("max_former_cifar10", [f"data.spec=pictures:{pictures}", *SMALL])
    result = fit(recipe, tmp_path / "run")
    assert (result.test_samples, result.validation_samples) == (8, 6)
    assert result.chosen_by == "validation split" and len(result.history) == 2
    assert result.history[0].learning_rate == 8e-5


def test_pictures_are_cut_changed_and_normalised(pictures: Path) -> None:
    recipe = load_recipe("max_former_cifar10", [f"data.spec=pictures:{pictures}", *SMALL])
    splits = open_splits(recipe)
    assert splits.validation is not None
    assert set(splits.train[0].indices).isdisjoint(splits.validation.indices)
    plain = splits.train[0].plain(0)
    assert plain.shape == (3, 32, 32) and splits.train[0].labels[0] == 0
    # Bright: about (225 / 255 - mean) / std.
    assert float(plain.mean()) == pytest.approx((225 / 255 - 0.4734) / 0.2515, abs=0.05)
    drawn = Drawn(splits.train[0], seed=0)
    draws = [drawn[epoch, 0][0] for epoch in range(6)]
    assert torch.equal(draws[2], drawn[2, 0][0])
    assert not all(torch.equal(draw, plain) for draw in draws)


def test_threads_read_no_images(pictures: Path, tmp_path: Path) -> None:
    changes = ["images=", "mix={}", "micro_batch_size=", "engine=threads", "epochs=1"]
    told = [f"data.spec=pictures:{pictures}", *SMALL, *changes, "warmup_epochs=0"]
    with pytest.raises(UsageError, match="frames of events only"):
        fit(load_recipe("max_former_cifar10", told), tmp_path / "run")


def test_a_picture_that_is_none_is_named(pictures: Path) -> None:
    (pictures / "train" / "dark" / "3.png").write_bytes(b"no picture")
    images = open_image_set(f"pictures:{pictures}", "train")
    with pytest.raises(FileError, match=r"dark/3\.png: it is no picture"):
        [images.read(index) for index in range(len(images))]


@pytest.mark.parametrize("spec", ["cifar10", "cifar100:{}", "imagenet:{}", "pictures:{}/none"])
def test_images_that_are_not_there(spec: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"(?s)Nothing is downloaded by itself.*Expected:\nPATH/"):
        open_image_set(spec.format(tmp_path), "train")


def test_names_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean cifar10"):
        open_image_set("cifar1", "train")
    with pytest.raises(UnknownNameError, match="split"):
        open_image_set(f"pictures:{tmp_path}", "valid")
    (tmp_path / "train").mkdir()
    with pytest.raises(FileError, match="class folder"):
        open_image_set(f"pictures:{tmp_path}", "train")


def test_cifar_is_read_where_its_sums_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of the owner's files; their MD5 sums are replaced by those of small ones."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    pixels = np.arange(4 * 3072, dtype=np.int64).reshape(4, 3072).astype(np.uint8)
    contents = {
        "data_batch_1": {"data": pixels, "labels": [3, 1, 0, 2]},
        "test_batch": {"data": pixels[:2], "labels": [1, 0]},
        "batches.meta": {"label_names": ["a", "b", "c", "d"]},
    }
    sums = {}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    monkeypatch.setattr(CIFAR10, "train_list", [("data_batch_1", sums["data_batch_1"])])
    monkeypatch.setattr(CIFAR10, "test_list", [("test_batch", sums["test_batch"])])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    for path in (tmp_path, folder):
        images = open_image_set(f"cifar10:{path}", "train")
        assert images.labels.tolist() == [3, 1, 0, 2] and images.classes[3] == "d"
        read = np.asarray(images.read(2))
        assert np.array_equal(read, pixels[2].reshape(3, 32, 32).transpose(1, 2, 0))
    assert len(open_image_set(f"cifar10:{tmp_path}", "test")) == 2
    (folder / "data_batch_1").write_bytes(pickle.dumps({"data": pixels, "labels": [0, 0, 0, 0]}))
    with pytest.raises(FileError, match="MD5"):
        open_image_set(f"cifar10:{tmp_path}", "train")


def test_same_share_of_each_class_is_held_out() -> None:
    labels = np.repeat(np.arange(3), [20, 40, 10])
    train, validation = held_out(labels, 0.1, seed=4)
    assert sorted([*train, *validation]) == list(range(70))
    assert np.bincount(labels[validation]).tolist() == [2, 4, 1]
    assert np.array_equal(held_out(labels, 0.1, seed=4)[1], validation)
    assert not np.array_equal(held_out(labels, 0.1, seed=5)[1], validation)
    assert held_out(labels, 0.0, seed=4)[0].tolist() == list(range(70))
    for share in (0.01, 0.99):
        with pytest.raises(UsageError, match=r"data\.validation"):
            held_out(labels, share, seed=0)
