"""Running the experiments of `spikeport robustness`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from spikeport.cli.experiments import Experiments, Levels
from spikeport.cli.options import RunChoice
from spikeport.core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from spikeport.cli.pictures import Normalisation
    from spikeport.convert import Graph
    from spikeport.estimate.robustness import Section
    from spikeport.estimate.robustness.rows import Batch
    from spikeport.runs import Run


def measured(
    chosen: RunChoice,
    asked: Experiments,
    sweeps: Levels,
    attacks: Levels,
    scale: Normalisation | None,
) -> tuple[dict[str, Any], list[Section]]:
    """Facts about the run, and one section for each kind of experiment.

    Raises:
        SpikeportError: a file is bad, or model, data and experiments do not fit together.
    """
    from spikeport.cli.pictures import is_images

    if is_images(chosen.data):
        return _on_images(chosen, asked, sweeps, attacks, scale)
    if scale is not None:
        raise UsageError(
            "event frames are not normalised.",
            where="--mean, --std",
            fix="Leave them out, or give --data images:PATH.",
        )
    if attacks and asked.box is None:
        raise UsageError(
            "frames of events are counts: a step of eps turns them into what no camera gives, and "
            "there is no largest pixel to measure eps by.",
            where="--attack",
            fix="Give --data images:FILE.npz; or --box N to attack frames as real numbers from 0 "
            "to N.",
        )
    return _on_recordings(chosen, asked, sweeps, attacks)


def _on_recordings(
    chosen: RunChoice, asked: Experiments, sweeps: Levels, attacks: Levels
) -> tuple[dict[str, Any], list[Section]]:
    from spikeport.runs import open_run

    model, box = (_model_of(chosen) if attacks else None), asked.box or 0.0
    if asked.box is not None and not (attacks and box > 0):
        raise UsageError(
            f"{asked.box:g} events are no range." if attacks else "only attacks have a box.",
            where="--box",
            fix="Give the largest count of events that frames can have, and --attack.",
        )
    opened = open_run(chosen)
    about: dict[str, Any] = {
        "model": chosen.model,
        "data": opened.data.name,
        "provenance": opened.data.provenance,
        "samples": opened.samples,
        "steps": opened.data.frame_shape[0],
        "seed": asked.seed,
    }
    sections = []
    if sweeps:
        sections.append(_swept(chosen, opened, asked, sweeps))
        about["hot_rate"] = asked.hot_rate
    if model is not None:
        sections.append(_attacked(model, opened, box, attacks, asked.seed))
        about["box"] = box
    steps = opened.data.frame_shape[0]
    return about, sections + _in_other_orders(opened.graph, opened.batches, steps, asked)


def _swept(chosen: RunChoice, opened: Run, asked: Experiments, sweeps: Levels) -> Section:
    from spikeport.estimate.robustness import compare_levels
    from spikeport.robustness import Disturbed, levels_of
    from spikeport.runs import spread
    from spikeport.targets import TARGETS

    disturbed = Disturbed(
        opened.data,
        spread(len(opened.data), opened.samples),
        chosen.framing,  # type: ignore[arg-type]
        seed=asked.seed,
        hot_rate=asked.hot_rate,
    )
    # As `spikeport evaluate` runs it.
    executor = TARGETS["reference"].executor(opened.graph, opened.calibration)
    return compare_levels(executor, opened.batches("Undisturbed"), levels_of(sweeps), disturbed.at)


def _attacked(model: nn.Module, opened: Run, box: float, attacks: Levels, seed: int) -> Section:
    from spikeport.robustness import attack_model

    return attack_model(
        model,
        lambda what: _frames_in_box(opened, box, what),
        [0.0],
        [1 / box],
        attacks,
        spaces=["pixels"],
        time_first=opened.graph.metadata["time_axis"] == 0,
        seed=seed,
    )


def _on_images(
    chosen: RunChoice,
    asked: Experiments,
    sweeps: Levels,
    attacks: Levels,
    scale: Normalisation | None,
) -> tuple[dict[str, Any], list[Section]]:
    from spikeport.cli.pictures import image_graph
    from spikeport.convert.frames import repeats
    from spikeport.robustness import attack_model

    if sweeps or asked.box is not None:
        raise UsageError(
            "images hold no events.",
            where="--sweep, --box",
            fix="Leave them out, or give --data of recordings.",
        )
    model = _model_of(chosen) if attacks else None
    graph, pictures = image_graph(chosen, scale)
    steps = next(iter(repeats(graph)), 1)
    about = {
        "model": chosen.model,
        "data": chosen.data,
        "provenance": pictures.provenance,
        "samples": len(pictures.chosen),
        "steps": steps,
        "mean": list(pictures.scale.mean),
        "std": list(pictures.scale.std),
        "seed": asked.seed,
    }
    sections = []
    if model is not None:
        mean, std = pictures.scale.mean, pictures.scale.std
        sections.append(attack_model(model, pictures.pixels, mean, std, attacks, seed=asked.seed))
    return about, sections + _in_other_orders(graph, pictures.normalised, steps, asked)


def _in_other_orders(
    graph: Graph, batches: Callable[[str], Iterable[Batch]], steps: int, asked: Experiments
) -> list[Section]:
    from spikeport.estimate.robustness import temporal_sensitivity

    if not asked.temporal:
        return []
    section = temporal_sensitivity(
        *(graph, batches, steps), orders=asked.temporal, layer=asked.layer, seed=asked.seed
    )
    return [section]


def _model_of(chosen: RunChoice) -> nn.Module:
    from spikeport.sources import is_stored, open_model

    if is_stored(chosen.model):
        raise UsageError(
            "a stored graph has no surrogate gradients to attack it by.",
            where=chosen.model,
            fix="Name the model that it was traced from.",
        )
    return open_model(chosen.model, chosen.checkpoint)


def _frames_in_box(
    opened: Run, box: float, what: str
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """(indices, frames `[B, T, C, H, W]` in 0 to 1, labels)."""
    from spikeport.runs import spread

    indices = iter(spread(len(opened.data), opened.samples))
    for frames, labels in opened.batches(what):
        largest = float(frames.max())
        if largest > box:
            raise UsageError(
                f"a pixel counts {largest:g} events in one step, more than {box:g}.",
                where="--box",
                fix="Give the largest count that frames can have, or more.",
            )
        part = [next(indices) for _ in range(len(labels))]
        yield part, (frames / box).transpose(0, 1), labels
