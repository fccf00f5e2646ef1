"""Images as input of a network: `--data images:PATH`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.cli.options import RunChoice
from spikeport.core.errors import UsageError
from spikeport.core.progress import track
from spikeport.runs import BATCH, spread
from spikeport.sources import is_stored

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Graph
    from spikeport.train.data.images import LabelledPixels

IMAGES = "images"


@dataclass(frozen=True)
class Normalisation:
    """Of each channel of pixels in 0 to 1: subtracted, and divided by."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Pictures:
    """Images that are shown to a network.

    Attributes:
        chosen: the images that are used, spread evenly.
        scale: as the network was trained with.
    """

    data: LabelledPixels
    chosen: list[int]
    scale: Normalisation

    @property
    def provenance(self) -> str:
        size = " x ".join(map(str, self.data.pixels.shape[1:]))
        return f"{len(self.data.labels):,} images of {self.data.origin}, {size}"

    def pixels(self, what: str) -> Iterator[tuple[Sequence[int], Tensor, Tensor]]:
        """(indices, pixels `[B, C, H, W]` in 0 to 1, labels `[B]`), with a progress bar."""
        import torch

        parts = [self.chosen[i : i + BATCH] for i in range(0, len(self.chosen), BATCH)]
        for part in track(parts, what):
            x = torch.from_numpy(self.data.pixels[part]).float() / 255
            yield part, x, torch.from_numpy(self.data.labels[part])

    def normalised(self, what: str) -> Iterator[tuple[Tensor, Tensor]]:
        """(input of the network `[B, C, H, W]`, labels `[B]`), with a progress bar."""
        from spikeport.train.attacks.spaces import per_channel

        mean, std = per_channel(self.scale.mean), per_channel(self.scale.std)
        for _, x, labels in self.pixels(what):
            yield (x - mean) / std, labels


def is_images(data: str) -> bool:
    """Whether `--data` names images, not recordings."""
    return data.partition(":")[0] == IMAGES


def open_pictures(
    chosen: RunChoice, source: str, shape: tuple[int, ...], given: Normalisation | None
) -> Pictures:
    """Read images and check that they fit a network.

    Args:
        source: name of the model, for its mean and std.
        shape: what the network reads, (C, H, W).
        given: mean and std that the user names.

    Raises:
        UsageError: sizes or labels do not fit, or mean and std are not known.
        FileError: the images cannot be read.
    """
    from spikeport.train.data.images import open_pixels

    _, _, path = chosen.data.partition(":")
    if not path:
        raise UsageError(
            "which images is not said.",
            where="--data",
            fix="Write --data images:FILE.npz, or images:FOLDER with a folder for each class.",
        )
    if len(shape) != 3:
        raise UsageError(
            f"this network reads {list(shape)}, no images.", where=source, fix="Choose another."
        )
    channels, height, width = shape
    data = open_pixels(Path(path).expanduser(), channels)
    if data.pixels.shape[1:] != (channels, height, width):
        raise UsageError(
            f"the network reads {list(shape)}, the images are {list(data.pixels.shape[1:])}.",
            where=path,
            fix="Give images of that size.",
        )
    count = chosen.samples or len(data.labels)
    if count > len(data.labels):
        raise UsageError(
            f"{count} samples were asked for, there are {len(data.labels)} images.",
            where="--samples",
            fix="Ask for fewer, or leave the option out for all.",
        )
    scale = given or _known(source, channels)
    if len(scale.mean) not in (1, channels):
        raise UsageError(
            f"there are {len(scale.mean)} means for {channels} channels.",
            where="--mean, --std",
            fix="Give one for each channel, or one for all.",
        )
    return Pictures(data, spread(len(data.labels), count), scale)


def check_classes(data: LabelledPixels, classes: int | None) -> None:
    """Refuse names of classes whose numbers cannot be known.

    Raises:
        UsageError: there are fewer or more names than the network has classes.
    """
    if data.classes and classes is not None and len(data.classes) != classes:
        raise UsageError(
            f"the images have {len(data.classes)} named classes, the network {classes}, so that "
            "their numbers are not known.",
            where=data.origin,
            fix="Give an .npz with class numbers as labels.",
        )


def normalisation(mean: str | None, std: str | None) -> Normalisation | None:
    """`--mean` and `--std`, numbers with commas between them.

    Raises:
        UsageError: one alone, no numbers, or a deviation that is not positive.
    """
    if mean is None and std is None:
        return None
    try:
        found = Normalisation(_numbers(mean or ""), _numbers(std or ""))
    except ValueError:
        found = Normalisation((), ())
    if not found.mean or len(found.mean) != len(found.std) or min(found.std) <= 0:
        raise UsageError(
            "these are no mean and deviation of each channel.",
            where="--mean, --std",
            fix="Give both, such as --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26.",
        )
    return found


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _known(source: str, channels: int) -> Normalisation:
    from spikeport.train.models import MODELS

    mean = MODELS[source].mean if source in MODELS else ()
    if len(mean) != channels:
        raise UsageError(
            "the mean and deviation that this network was trained with are not known.",
            where=source,
            fix="Give --mean and --std (0 and 1 if it reads pixels from 0 to 1 as they are).",
        )
    return Normalisation(mean, MODELS[source].std)


def image_graph(chosen: RunChoice, given: Normalisation | None) -> tuple[Graph, Pictures]:
    """A network that reads images as a graph, and the images.

    Raises:
        SpikeportError: a name is unknown, a file is bad, or images and network do not fit.
    """
    from spikeport.sources import open_graph, open_stored

    if is_stored(chosen.model):
        graph = open_stored(chosen.model, chosen.checkpoint, "real")
        source = str(graph.metadata.get("source", {}).get("model", chosen.model))
        if graph.input.per_step:
            raise UsageError(
                "this graph reads frames of events, no images.",
                where=chosen.model,
                fix="Use --data of recordings.",
            )
        pictures = open_pictures(chosen, source, graph.input.shape, given)
    else:
        pictures = open_pictures(chosen, chosen.model, model_shape(chosen), given)
        sample, _ = next(iter(pictures.normalised("Reading images")))
        graph = open_graph(chosen.model, chosen.checkpoint, sample[:2], "real")
        if graph.input.per_step:
            raise UsageError(
                "this network reads frames of events, no images.",
                where=chosen.model,
                fix="Use --data of recordings.",
            )
    (output,) = graph.outputs
    check_classes(pictures.data, graph[output].shape[-1])
    return graph, pictures


def model_shape(chosen: RunChoice) -> tuple[int, ...]:
    """(C, H, W) that a model by name reads; of a model of the user's, that of the images.

    Raises:
        UsageError: the model reads frames of events.
    """
    from spikeport.train.data.images import pixel_shape
    from spikeport.train.models import MODELS

    if chosen.model in MODELS:
        entry = MODELS[chosen.model]
        if not entry.static:
            raise UsageError(
                "this network reads frames of events, no images.",
                where=chosen.model,
                fix="Use --data of recordings, or a model for images (spikeport list).",
            )
        return entry.input_shape
    return pixel_shape(Path(chosen.data.partition(":")[2]).expanduser())
