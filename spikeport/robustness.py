"""Robustness experiments that need both ends: data or gradients, and statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from spikeport.core.errors import UsageError
from spikeport.core.progress import track
from spikeport.estimate import Accuracy, AccuracyResult
from spikeport.estimate.robustness.levels import Level
from spikeport.estimate.robustness.rows import CLEAN, Section, mean_of, row_of
from spikeport.train.attacks import ATTACKS, SPACES, Victim
from spikeport.train.data.frames import Framing
from spikeport.train.data.perturb import PERTURBATIONS, Setting, perturbed_frames
from spikeport.train.data.perturb.apply import recordings_of
from spikeport.train.data.perturb.registry import HOT_RATE

if TYPE_CHECKING:
    from spikeport.train.data import FrameDataset

ATTACK = "attack"
UNTOUCHED = "no attack"
"""Row of a space in which nothing is added: what its clamp alone does."""


def levels_of(sweeps: Iterable[tuple[str, Sequence[float]]]) -> list[Level]:
    """(perturbation, levels) pairs as levels, checked before anything runs.

    Raises:
        UnknownNameError: no perturbation has this name.
        UsageError: a level has no meaning.
    """
    found = []
    for name, levels in sweeps:
        entry = PERTURBATIONS[name]
        for level in levels:
            entry.check(name, level)
            found.append(Level(name, level, entry.unit))
    return found


@dataclass(frozen=True)
class Disturbed:
    """Recordings of a data set, disturbed and framed when they are asked for.

    Attributes:
        data: with its recordings, framed by `framing`.
        indices: the recordings that are used.
        batch: how many of them at once.
        seed: of all disturbances.
        hot_rate: events per second of a hot pixel.

    Raises:
        UsageError: the data are not made of recordings, or the rate is negative.
    """

    data: FrameDataset
    indices: Sequence[int]
    framing: Framing = "count"
    batch: int = 100
    seed: int = 0
    hot_rate: float = HOT_RATE

    def __post_init__(self) -> None:
        Setting(recordings_of(self.data).sensor_size, self.seed, self.hot_rate)

    def at(self, level: Level) -> Iterator[tuple[Tensor, Tensor]]:
        """(frames `[T, B, 2, H, W]`, labels `[B]`) at one level, with a progress bar."""
        starts = list(range(0, len(self.indices), self.batch))
        for start in track(starts, f"{level.name} {level.level:g}"):
            part = list(self.indices[start : start + self.batch])
            frames = [
                torch.from_numpy(
                    perturbed_frames(
                        *(self.data, index, level.name, level.level),
                        framing=self.framing,
                        seed=self.seed,
                        hot_rate=self.hot_rate,
                    ).astype("float32")
                )
                for index in part
            ]
            yield torch.stack(frames, dim=1), torch.from_numpy(self.data.labels[part])


Images = Iterable[tuple[Sequence[int], Tensor, Tensor]]
"""(indices of the samples, inputs `[B, ...]` in 0 to 1, labels `[B]`)."""


def attack_model(
    model: nn.Module,
    images: Callable[[str], Images],
    mean: Sequence[float],
    std: Sequence[float],
    attacks: Sequence[tuple[str, Sequence[float]]],
    *,
    spaces: Sequence[str] = tuple(SPACES),
    time_first: bool = False,
    seed: int = 0,
) -> Section:
    """Accuracy of a network under white-box attacks through its surrogate gradients, L_inf.

    The network is left as it is: a copy in eval mode is attacked.

    Args:
        model: inputs `[B, C, H, W]`, or frames, to scores.
        images: what is run -> the batches, the same each time.
        mean, std: per channel, as the model was trained with.
        attacks: (key of `ATTACKS`, levels).
        spaces: keys of `SPACES`, each for every attack.
        time_first: whether the model reads `[T, B, ...]` frames.
        seed: of random starts.

    Returns:
        the clean row; for each space one row without attack and one per level; for each space and
        attack the average over its levels.

    Raises:
        UnknownNameError: there is no such attack or space.
        UsageError: a level has no meaning, there is no sample, or no gradient reaches the input.
    """
    chosen = [(name, _checked(name, levels)) for name, levels in attacks]
    if not std or not all(each > 0 for each in std) or len(mean) != len(std):
        raise UsageError(
            "mean and std are no numbers per channel, or a deviation is not positive.",
            where="mean, std",
            fix="Give as many means as deviations, and deviations above 0.",
        )
    clean = Accuracy()
    pixels = SPACES["pixels"].victim(model, mean, std, time_first)
    for _, x, labels in images("Without attack"):
        clean.add(pixels.scores(x), labels)
    base = clean.result()
    rows = [row_of(ATTACK, CLEAN, base, base)]
    means = []
    for space in spaces:
        victim = SPACES[space].victim(model, mean, std, time_first)

        def entered(what: str, space: str = space) -> Images:
            for indices, x, labels in images(f"{what}, {space}"):
                yield indices, SPACES[space].enter(x, mean, std), labels

        (alone,) = _run("fgsm", [0.0], victim, entered("Clamp"), seed)
        rows.append(row_of(ATTACK, UNTOUCHED, alone, base, variant=space))
        for name, levels in chosen:
            found = _run(name, levels, victim, entered(name), seed)
            here = [
                row_of(
                    *(ATTACK, name, result, base),
                    variant=space,
                    level=level,
                    unit=ATTACKS[name].unit,
                )
                for level, result in zip(levels, found, strict=True)
            ]
            rows += here
            means.append(mean_of(f"{name}, {space}, over {ATTACKS[name].unit}", here))
    return Section(ATTACK, tuple(rows), tuple(means))


def _checked(name: str, levels: Sequence[float]) -> list[float]:
    entry = ATTACKS[name]
    ascending = sorted(set(levels))
    highest = 1000.0 if entry.whole else 1.0
    fine = ascending and all(
        0 <= level <= highest and not (entry.whole and level != int(level)) for level in ascending
    )
    if not fine:
        raise UsageError(
            f"{', '.join(f'{level:g}' for level in levels) or 'nothing'} are no levels of it.",
            where=f"{name} ({entry.unit})",
            fix=f"Give {'whole numbers' if entry.whole else 'numbers'} from 0 to {highest:g}.",
        )
    return ascending


def _run(
    name: str, levels: Sequence[float], victim: Victim, images: Images, seed: int
) -> list[AccuracyResult]:
    """One result per level."""
    judged = [Accuracy() for _ in levels]
    for indices, x, labels in images:
        made = ATTACKS[name].craft(victim, x, labels, indices, levels, seed)
        for collected, adversarial in zip(judged, made, strict=True):
            collected.add(victim.scores(adversarial), labels)
    return [collected.result() for collected in judged]
