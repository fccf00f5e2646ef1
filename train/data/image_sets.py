"""Images by name: CIFAR and folders of pictures, from where the user keeps them.

Nothing is downloaded, and the pickles of CIFAR are read only where their MD5 sums are those of the
owner's files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.core.registry import Registry

# Names that the folder of what is reported on may have: ImageNet calls it val.
_FOLDERS = {"train": ("train",), "test": ("test", "val", "validation")}


@dataclass(frozen=True)
class ImageSet:
    """Labelled RGB images, read when asked for.

    Attributes:
        name: the specification it was opened with, and the split.
        provenance: where the images come from.
        classes: their names.
        labels: `[N]`.
        read: image i as a PIL image in RGB; FileError where it is bad. Can be pickled.
    """

    name: str
    provenance: str
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    read: Callable[[int], Any]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageEntry:
    """A named source of images.

    Attributes:
        description: one line for lists.
        tree: what the folder should hold.
        source: size, and where the owner offers it.
        open: reads a split of a folder.
    """

    description: str
    tree: str
    source: str
    open: Callable[[ImageEntry, Path, str], ImageSet]


IMAGE_SETS: Registry[ImageEntry] = Registry("set of images")


def open_image_set(spec: str, split: str) -> ImageSet:
    """Open the images that `spec` (`NAME:PATH`) names.

    Args:
        split: "train" or "test".

    Raises:
        UnknownNameError: no set of images, or split, has this name.
        FileError: the folder is missing or laid out otherwise; says what is expected.
    """
    name, _, path = spec.partition(":")
    entry = IMAGE_SETS[name]
    if split not in _FOLDERS:
        raise UnknownNameError("split", split, _FOLDERS)
    if not path:
        raise missing(entry, name, "which folder is not said")
    root = Path(path).expanduser()
    if not root.is_dir():
        raise missing(entry, path, "this folder does not exist")
    found = entry.open(entry, root, split)
    return ImageSet(f"{spec}/{split}", found.provenance, found.classes, found.labels, found.read)


def missing(entry: ImageEntry, where: str, why: str) -> FileError:
    """The error for images that are not there: tells what is expected, and from where."""
    return FileError(
        f"{why}.",
        where=where,
        fix=f"Nothing is downloaded by itself: {entry.source}. Expected:\n{entry.tree}",
    )


@dataclass(frozen=True)
class _Arrays:
    images: NDArray[np.uint8]

    def __call__(self, index: int) -> Any:
        from PIL import Image

        return Image.fromarray(self.images[index])


@dataclass(frozen=True)
class _Files:
    paths: tuple[str, ...]

    def __call__(self, index: int) -> Any:
        from PIL import Image

        try:
            with Image.open(self.paths[index]) as picture:
                return picture.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise FileError(
                f"it is no picture ({str(error)[:200]}).",
                where=self.paths[index],
                fix="Copy it again, or remove it.",
            ) from error


def _open_cifar(name: str, entry: ImageEntry, root: Path, split: str) -> ImageSet:
    """`name` is that of the class of torchvision."""
    # Late, since it is slow.
    from torchvision import datasets

    kind = getattr(datasets, name)
    if root.name == kind.base_folder:
        root = root.parent
    try:
        found = kind(str(root), train=split == "train", download=False)
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        why = f"it does not hold the files of {kind.base_folder} with the owner's MD5 sums"
        raise missing(entry, str(root), why) from error
    return ImageSet(
        "",
        f"{entry.description}; the owner's {split} split",
        tuple(found.classes),
        np.array(found.targets, np.int64),
        _Arrays(found.data),
    )


def _open_folder(entry: ImageEntry, root: Path, split: str) -> ImageSet:
    from torchvision.datasets import ImageFolder

    folders = [root / name for name in _FOLDERS[split] if (root / name).is_dir()]
    if not folders:
        raise missing(entry, str(root), f"it has no folder {' or '.join(_FOLDERS[split])}")
    try:
        found = ImageFolder(str(folders[0]))
    except OSError as error:
        raise missing(entry, str(folders[0]), str(error).rstrip(".")) from error
    return ImageSet(
        "",
        f"{entry.description}; pictures of the folder {folders[0].name}",
        tuple(found.classes),
        np.array(found.targets, np.int64),
        _Files(tuple(path for path, _ in found.samples)),
    )


_BATCHES = "data_batch_1 ... data_batch_5, test_batch, batches.meta"
IMAGE_SETS.add(
    "cifar10",
    ImageEntry(
        "CIFAR-10, images, 32 x 32, 10 classes",
        f"PATH/\n  cifar-10-batches-py/  {_BATCHES}",
        "fetch 170 MB (python version) from https://www.cs.toronto.edu/~kriz/cifar.html",
        partial(_open_cifar, "CIFAR10"),
    ),
)
IMAGE_SETS.add(
    "cifar100",
    ImageEntry(
        "CIFAR-100, images, 32 x 32, 100 classes",
        "PATH/\n  cifar-100-python/  train, test, meta",
        "fetch 169 MB (python version) from https://www.cs.toronto.edu/~kriz/cifar.html",
        partial(_open_cifar, "CIFAR100"),
    ),
)
_TREE = "PATH/\n  train/CLASS/*   pictures, one class a folder\n  val/CLASS/*     (or test/)"
IMAGE_SETS.add(
    "imagenet",
    ImageEntry(
        "ImageNet-1k, images, 1,000 classes",
        _TREE,
        "fetch 150 GB from https://image-net.org/challenges/LSVRC/2012/",
        _open_folder,
    ),
)
IMAGE_SETS.add(
    "pictures",
    ImageEntry("pictures of yours: PATH/{train,test}/CLASS/*", _TREE, "give yours", _open_folder),
)
