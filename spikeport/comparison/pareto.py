"""Accuracy against energy: rows that no other dominates are filled, published ones grey."""

from __future__ import annotations

from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikeport.comparison.labels import Mark, write_labels
from spikeport.comparison.publications import Convention, Published
from spikeport.comparison.result import Comparison
from spikeport.comparison.rows import Row

COLOUR, GREY, DARK = "#0072B2", "0.55", "0.3"
_MARKERS = {
    Convention.ONCE: "s",
    Convention.EACH_STEP: "D",
    Convention.MAC: "^",
    Convention.UNKNOWN: "x",
}
_WIDTH, _HEIGHT, _LINE_HEIGHT = 8.0, 5.0, 0.13
_LETTERS, _FONT = 100, 6
_OWN_SIZE, _THEIR_SIZE = 6, 4
_WIDE_RANGE = 10
"""Energies further apart than this factor stand on a logarithmic axis."""


def pareto_figure(found: Comparison) -> Figure:
    """Accuracy in % with its 95 % interval over energy per sample; numbers are those of the key
    and of the tables that `spikeport compare` prints.

    Only rows of one energy model and data are measured points; published rows keep the convention
    of their source, which the shape of the marker tells.

    Args:
        found: with at least one row that has accuracy and energy.
    """
    beside = {
        place: each
        for place, each in enumerate(found.published, len(found.rows))
        if each.row.energy_mj is not None
    }
    lines = len(found.figure) + len(beside) + len(_MARKERS)
    height = max(_HEIGHT, 1.5 + _LINE_HEIGHT * lines)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    keys = [_published(axes, place, each) for place, each in beside.items()]
    own = [
        _measured(axes, place, found.rows[place], on_front=place in found.front)
        for place in found.figure
    ]
    _front_line(axes, [found.rows[place] for place in sorted(found.front)])
    energies = [_energy(found.rows[place]) for place in found.figure]
    energies += [each.row.energy_uj or 0.0 for each in beside.values()]
    if min(energies) > 0 and max(energies) > _WIDE_RANGE * min(energies):
        axes.set_xscale("log")
    first = found.rows[found.figure[0]]
    assert first.energy is not None
    axes.set_xlabel(f"energy per sample (uJ), {first.energy.model}", fontsize=8, parse_math=False)
    axes.set_ylabel("accuracy (%), 95 % interval", fontsize=8)
    axes.tick_params(labelsize=7)
    used = dict.fromkeys(each.convention for each in beside.values())
    legend = figure.legend(
        handles=[*own, *keys, *map(_convention, used)],
        loc="outside right upper",
        fontsize=_FONT,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    # Over the axes alone: a title of the figure runs into the key.
    axes.set_title(_told(found, first, list(beside.values())), fontsize=_FONT, parse_math=False)
    own_marks = [_own_mark(place, found.rows[place]) for place in found.figure]
    write_labels(axes, own_marks + [_their_mark(*each) for each in beside.items()], _FONT)
    return figure


def _told(found: Comparison, first: Row, beside: list[Published]) -> str:
    lines = [f"{first.data}: {first.provenance}" if first.provenance else first.data]
    left = len(found.rows) - len(found.figure)
    if left:
        lines.append(f"{left} rows of other data or energy model, or without a figure, left out")
    if beside:
        data = ", ".join(dict.fromkeys(each.row.data for each in beside))
        lines.append(f"grey: published on {data}, not measured here, energies by their own models")
        if set(each.row.data for each in beside) != {first.data}:
            lines.append("accuracies and energies on other data do not compare with those measured")
    return "\n".join(part for line in lines for part in wrap(line, _LETTERS))


def _measured(axes: Axes, place: int, row: Row, *, on_front: bool) -> Line2D:
    assert row.right is not None and row.energy is not None
    share, (low, high) = row.right.value, row.right.interval
    energy = row.energy
    spread = None
    if energy.low is not None and energy.high is not None:
        spread = [[max(0.0, energy.mean - energy.low)], [max(0.0, energy.high - energy.mean)]]
    face = COLOUR if on_front else "white"
    axes.errorbar(
        [energy.mean],
        [100 * share],
        xerr=spread,
        yerr=[[100 * (share - low)], [100 * (high - share)]],
        fmt="o",
        color=COLOUR,
        markerfacecolor=face,
        markersize=_OWN_SIZE,
        capsize=2,
        linewidth=0.8,
    )
    label = f"{place + 1}  {row.name}{', not dominated' if on_front else ''}"
    return Line2D([], [], linestyle="", marker="o", color=COLOUR, mfc=face, label=label)


def _published(axes: Axes, number: int, each: Published) -> Line2D:
    energy = each.row.energy_uj
    assert energy is not None
    marker = _MARKERS[each.convention]
    axes.plot([energy], [float(each.row.top1)], marker=marker, color=GREY, markersize=_THEIR_SIZE)
    label = f"{number + 1}  {each.row.name}"
    return Line2D(
        [], [], linestyle="", marker=marker, color=GREY, markersize=_THEIR_SIZE, label=label
    )


def _own_mark(place: int, row: Row) -> Mark:
    assert row.right is not None and row.energy is not None
    energy, (low, high) = row.energy, row.right.interval
    across = None
    if energy.low is not None and energy.high is not None:
        across = energy.low, energy.high
    at = energy.mean, 100 * row.right.value
    return Mark(str(place + 1), *at, "black", _OWN_SIZE, across, (100 * low, 100 * high))


def _their_mark(place: int, each: Published) -> Mark:
    energy = each.row.energy_uj
    assert energy is not None
    return Mark(str(place + 1), energy, float(each.row.top1), DARK, _THEIR_SIZE)


def _convention(each: Convention) -> Line2D:
    label = "\n".join(wrap(f"published: {each.meaning}", 34))
    return Line2D(
        [], [], linestyle="", marker=_MARKERS[each], color=GREY, markersize=_THEIR_SIZE, label=label
    )


def _front_line(axes: Axes, rows: list[Row]) -> None:
    """Steps between what is not dominated."""
    points = sorted((_energy(row), 100 * row.right.value) for row in rows if row.right is not None)
    if len(points) > 1:
        x, y = zip(*points, strict=True)
        axes.plot(x, y, drawstyle="steps-post", color=COLOUR, linewidth=0.8, alpha=0.5, zorder=0)


def _energy(row: Row) -> float:
    assert row.energy is not None
    return row.energy.mean
