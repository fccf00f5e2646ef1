"""Recorded data sets through the classes of Tonic, from a folder of the user's.

Nothing is downloaded: Tonic's classes fetch an archive where they do not find it, even beside the
unpacked files, so that both are overridden here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.core.files import cache_folder
from spikeport.train.data.frame_dataset import FrameDataset
from spikeport.train.data.framed import Source, framed
from spikeport.train.data.frames import Framing
from spikeport.train.data.readers.aedat4 import packet_offsets
from spikeport.train.data.readers.checks import Checks
from spikeport.train.data.readers.native import told
from spikeport.train.data.recordings import Events


@dataclass(frozen=True)
class TonicSet:
    """A data set that Tonic reads.

    Attributes:
        title: one line for lists.
        cls: name of the class of Tonic, and of the folder that it expects.
        tree: what the folder should hold.
        size: of the archives and of what they hold.
        page: where the owner offers it.
        holds: folder that must be there, for a split.
        split_rule: which recordings are "train" and "test", as reports print it.
        train_share: share of each class that is "train", in order of the files; None where the
            owner made the split.
        sensor: (width, height).
    """

    title: str
    cls: str
    tree: str
    size: str
    page: str
    holds: dict[str, str]
    split_rule: str
    sensor: tuple[int, int]
    train_share: float | None = None


@dataclass(frozen=True)
class TonicEvents:
    """Recordings of a set that Tonic reads.

    Attributes:
        root, split: of the set.
        chosen: Tonic's index of each recording.
    """

    entry: TonicSet
    root: Path
    split: str
    chosen: tuple[int, ...]

    @property
    def sensor_size(self) -> tuple[int, int, int]:
        return (*self.entry.sensor, 2)

    def __getitem__(self, index: int) -> Events:
        """One recording.

        Raises:
            FileError: it is bad.
        """
        number = self.chosen[index]
        return _load(self.entry, self._data, number, _name(self._data, number, self.split))[0]

    @cached_property
    def _data(self) -> Any:
        return _dataset(self.entry, self.root, self.split)


def open_tonic(
    entry: TonicSet,
    path: Path | None,
    split: str,
    *,
    steps: int,
    framing: Framing,
    seed: int,
    skip_bad: bool = False,
) -> FrameDataset:
    """Frames of one split.

    Raises:
        UnknownNameError: there is no such split.
        FileError: the folder is missing or laid out otherwise (says tree, size and page), or a
            recording is bad.
    """
    if split not in entry.holds:
        raise UnknownNameError("split", split, entry.holds)
    root = _root(entry, path, split)
    data = _dataset(entry, root, split)
    labels, classes = _labels(data)
    chosen = _chosen(entry, data, labels, split)
    if not len(chosen):
        raise _missing(entry, root, f"no recordings of {split} were found in it")
    names = [_name(data, index, split) for index in chosen]
    source = Source(names, lambda index: _load(entry, data, int(chosen[index]), names[index]))
    width, height = entry.sensor
    settings = {
        "set": entry.cls,
        "split": split,
        "rule": entry.split_rule,
        "files": _stamps(root, entry.holds[split]),
    }
    found = framed(
        cache_folder(),
        settings | {"folder": str(root.resolve())},
        source,
        (width, height, 2),
        steps,
        framing,
        skip_bad=skip_bad,
    )
    left = f"; {len(found.skipped)} bad recordings left out" if found.skipped else ""
    return FrameDataset(
        name=entry.cls,
        provenance=f"{entry.title}, read by Tonic; {split}: {entry.split_rule}{left}",
        classes=classes,
        frames=found.frames,
        labels=labels[chosen][found.kept],
        skipped=found.skipped,
        repaired=found.repaired,
        events=TonicEvents(entry, root, split, tuple(chosen[found.kept].tolist())),
    )


def _root(entry: TonicSet, path: Path | None, split: str) -> Path:
    """The folder that Tonic calls by the name of its class, or one that holds the same."""
    if path is None:
        raise _missing(entry, Path(entry.cls), "which folder is not said")
    for root in (path / entry.cls, path):
        if (root / entry.holds[split]).is_dir() and any(root.iterdir()):
            return root.resolve()
    raise _missing(entry, path, f"this folder does not hold {entry.holds[split] or 'anything'}")


def _missing(entry: TonicSet, path: Path, why: str) -> FileError:
    return FileError(
        f"{why}.",
        where=str(path),
        fix=f"Nothing is downloaded by itself: fetch {entry.size} from {entry.page} and unpack it "
        f"to\n{entry.tree}",
    )


def _dataset(entry: TonicSet, root: Path, split: str) -> Any:
    # Late, since it is slow; Tonic uses recfunctions without importing them.
    import numpy.lib.recfunctions  # noqa: F401
    import tonic.datasets

    def never(self: Any) -> None:
        raise _missing(entry, root, "Tonic wants to download it")

    base = getattr(tonic.datasets, entry.cls)
    # Tonic looks in a folder named like the class.
    members = {"_check_exists": lambda self: True, "download": never}
    local = type(root.name, (base,), members)
    options = {} if entry.train_share is not None else {"train": split == "train"}
    try:
        return local(save_to=str(root.parent), **options)
    except (FileError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise _missing(
            entry, root, f"Tonic cannot read it ({type(error).__name__}: {str(error)[:200]})"
        ) from error


def _labels(data: Any) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class numbers and names; N-Caltech101 labels by name."""
    targets = list(data.targets)
    if targets and isinstance(targets[0], str):
        classes = tuple(sorted(set(targets)))
        return np.array([classes.index(each) for each in targets], np.int64), classes
    return np.array(targets, np.int64), tuple(data.classes)


def _chosen(entry: TonicSet, data: Any, labels: NDArray[np.int64], split: str) -> NDArray[np.intp]:
    """Indices in Tonic's order; sorted by name, since Tonic takes files as the disk lists them."""
    order = sorted(range(len(labels)), key=lambda index: _natural(data.data[index]))
    if entry.train_share is None:
        return np.array(order, np.intp)
    chosen = []
    for label in np.unique(labels):
        members = [index for index in order if labels[index] == label]
        # 1e-9: 0.9 times 10 must not be 8.999.
        first = int(entry.train_share * len(members) + 1e-9)
        chosen += members[:first] if split == "train" else members[first:]
    return np.array(chosen, np.intp)


def _natural(path: Any) -> Any:
    """Sort key in which frog_9 comes before frog_10; recordings without a path stay in order."""
    if not isinstance(path, str):
        return []
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _name(data: Any, index: int, split: str) -> str:
    path = data.data[index]
    return path if isinstance(path, str) else f"{split} recording {index}"


def _load(entry: TonicSet, data: Any, index: int, name: str) -> tuple[Events, tuple[str, ...]]:
    if name.endswith(".aedat4"):
        # Tonic's decoder reads headers unchecked.
        packet_offsets(Path(name))
    try:
        events = np.ravel(data[index][0])
    except BaseException as error:
        raise told(Path(name), 0, error) from error
    checks = Checks(name, entry.sensor)
    read = checks.sorted_whole(checks.packet({field: events[field] for field in "xytp"}))
    return read, checks.repairs()


def _stamps(root: Path, folder: str) -> list[tuple[str, int, int]]:
    found = [each for each in sorted((root / folder).rglob("*")) if each.is_file()]
    stats = [each.stat() for each in found]
    return [
        (str(each.relative_to(root)), stat.st_size, stat.st_mtime_ns)
        for each, stat in zip(found, stats, strict=True)
    ]


_BOTH = {"train": "", "test": ""}
_NINE_TENTHS = "first 90 % of each class, in order of the file numbers, are train, the rest test"

TONIC_SETS: dict[str, TonicSet] = {
    "cifar10-dvs": TonicSet(
        "CIFAR10-DVS, recorded events, 128 x 128, 10 classes",
        "CIFAR10DVS",
        "CIFAR10DVS/\n  airplane/cifar10_airplane_0.aedat4 ... (1,000 files in each of 10 folders)",
        "7.5 GB",
        "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
        _BOTH,
        _NINE_TENTHS,
        (128, 128),
        0.9,
    ),
    "dvs128-gesture": TonicSet(
        "DVS128 Gesture, recorded events, 128 x 128, 11 classes",
        "DVSGesture",
        "DVSGesture/\n  ibmGestureTrain/user01_fluorescent/0.npy ...\n"
        "  ibmGestureTest/user24_fluorescent/0.npy ...",
        "3 GB (the version cut into gestures that Tonic reads)",
        "https://research.ibm.com/interactive/dvsgesture/",
        {"train": "ibmGestureTrain", "test": "ibmGestureTest"},
        "the owner's split by subjects (1 to 23 train, 24 to 29 test)",
        (128, 128),
    ),
    "n-mnist": TonicSet(
        "N-MNIST, recorded events, 34 x 34, 10 classes",
        "NMNIST",
        "NMNIST/\n  Train/0/00002.bin ...\n  Test/0/00004.bin ...",
        "1.2 GB",
        "https://www.garrickorchard.com/datasets/n-mnist",
        {"train": "Train", "test": "Test"},
        "the owner's split",
        (34, 34),
    ),
    "n-caltech101": TonicSet(
        "N-Caltech101, recorded events, up to 240 x 180, 101 classes",
        "NCALTECH101",
        "NCALTECH101/\n  Caltech101/accordion/image_0001.bin ...",
        "4.2 GB",
        "https://www.garrickorchard.com/datasets/n-caltech101",
        {"train": "Caltech101", "test": "Caltech101"},
        f"{_NINE_TENTHS}; the owner states no split",
        (240, 180),
        0.9,
    ),
    "asl-dvs": TonicSet(
        "ASL-DVS, recorded events, 240 x 180, 24 letters",
        "ASLDVS",
        "ASLDVS/\n  Yin_1/a/a_0001.mat ... (any folders that end in a folder per letter)",
        "2.4 GB",
        "https://github.com/PIX2NVS/NVS2Graph",
        _BOTH,
        "first 80 % of each class, in order of the file names, are train, the rest test; the "
        "owner states no split (the paper draws 80 % at random)",
        (240, 180),
        0.8,
    ),
    "dvs-lip": TonicSet(
        "DVS-Lip, recorded events, 128 x 128, 100 words",
        "DVSLip",
        "DVSLip/\n  DVS-Lip/train/accused/0.npy ...\n  DVS-Lip/test/accused/0.npy ...",
        "4 GB",
        "https://sites.google.com/view/event-based-lipreading",
        {"train": "DVS-Lip/train", "test": "DVS-Lip/test"},
        "the owner's split",
        (128, 128),
    ),
    "poker-dvs": TonicSet(
        "POKER-DVS, recorded events, 35 x 35, 4 suits",
        "POKERDVS",
        "POKERDVS/\n  pips_train/cl/0.npy ...\n  pips_test/cl/0.npy ...",
        "some MB (also shipped within Tonic)",
        "http://www2.imse-cnm.csic.es/caviar/POKERDVS.html",
        {"train": "pips_train", "test": "pips_test"},
        "the split of Tonic's files",
        (35, 35),
    ),
}


def opener(entry: TonicSet) -> Callable[..., FrameDataset]:
    """The `open` of a `DataEntry`."""

    def open_set(path: Path | None, split: str, **options: Any) -> FrameDataset:
        return open_tonic(entry, path, split, **options)

    return open_set
