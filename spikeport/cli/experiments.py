"""What `spikeport robustness` is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from spikeport.cli.settings import names_in
from spikeport.core.errors import UsageError

Sweep = Annotated[
    list[str] | None,
    typer.Option(
        help="Disturb the events: NAME=LEVEL,LEVEL,... with NAME drop, noise, hot-pixels, "
        "time-jitter, spatial-jitter, flip or resolution. Repeat for several."
    ),
]
HotRate = Annotated[
    float, typer.Option(help="Events per second of a hot pixel.", min=0, max=1_000_000)
]
AttackNames = Annotated[
    str | None,
    typer.Option("--attack", help="Attack real input: fgsm, pgd, with commas between them."),
]
Eps = Annotated[
    str | None, typer.Option(help="Of fgsm, shares of the pixel range; the published ones if not.")
]
Iterations = Annotated[str | None, typer.Option(help="Of pgd; the published numbers if not given.")]
Box = Annotated[
    float | None,
    typer.Option(
        help="Attack event frames as real input from 0 to this many events; eps is a share of it. "
        "No camera gives such frames."
    ),
]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", help="Of each channel of pixels in 0 to 1. Models by name know theirs."),
]
StdOption = Annotated[str | None, typer.Option("--std", help="See --mean.")]
Layer = Annotated[
    str | None,
    typer.Option(help="Encoding neurons, by node or module path; the first neurons by default."),
]
Orders = Annotated[
    int | None,
    typer.Option(
        "--temporal",
        help="Put the encoding neurons' outputs in so many other orders of time.",
        min=1,
        max=1000,
    ),
]
Seed = Annotated[int, typer.Option(help="Of all that is drawn.", min=0)]


@dataclass(frozen=True)
class Experiments:
    """What is to be disturbed, and how."""

    sweep: Sweep = None
    hot_rate: HotRate = 1000.0
    attack: AttackNames = None
    eps: Eps = None
    iterations: Iterations = None
    box: Box = None
    mean: MeanOption = None
    std: StdOption = None
    temporal: Orders = None
    layer: Layer = None
    seed: Seed = 0


Levels = list[tuple[str, list[float]]]


def parse_sweeps(texts: Sequence[str]) -> Levels:
    """`drop=0.1,0.3` and the like as (name, levels).

    Raises:
        UsageError: another form, or a name given twice.
    """
    found: dict[str, list[float]] = {}
    for text in texts:
        name, equals, levels = text.partition("=")
        if not equals or name in found:
            raise UsageError(
                f"{text!r} {'comes twice' if equals else 'names no levels'}.",
                where="--sweep",
                fix="Write each once, such as --sweep drop=0.1,0.3.",
            )
        found[name] = _numbers(levels, "--sweep")
    return list(found.items())


def _numbers(text: str, where: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"{text!r} is no list of numbers.", where=where, fix="Write them as 0.1,0.3."
        ) from None


def attacks_in(asked: Experiments) -> Levels:
    """(attack, levels), the published ones where the user names none."""
    from spikeport.train.attacks import ATTACKS

    own = {"fgsm": ("--eps", asked.eps), "pgd": ("--iterations", asked.iterations)}
    names = names_in(asked.attack) if asked.attack else []
    for name, (option, text) in own.items():
        if text is not None and name not in names:
            raise UsageError(
                f"{name} was not asked for.", where=option, fix=f"Add --attack {name}."
            )
    found = []
    for name in names:
        entry = ATTACKS[name]
        option, text = own.get(name, ("", None))
        found.append((name, list(entry.levels) if text is None else _numbers(text, option)))
    return found
