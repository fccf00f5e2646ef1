"""Rows against the first: paired where both saw the same samples, and a reason where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spikeport.comparison.rows import Row, Stored
from spikeport.estimate.paired import Paired
from spikeport.estimate.unpaired import Unpaired, difference_interval, unpaired

Method = Literal["paired", "unpaired"]


@dataclass(frozen=True)
class Change:
    """Accuracy minus that of the first row, with its 95 % interval.

    Attributes:
        p_value: paired: McNemar's exact test; unpaired: Fisher's exact test.
        method: paired: interval of Agresti and Min; unpaired: of Newcombe.
        reason: why it is not paired, "" if it is.
    """

    difference: float
    low: float
    high: float
    p_value: float
    method: Method
    reason: str = ""

    @classmethod
    def of(cls, found: Paired | Unpaired, reason: str = "") -> Change:
        method: Method = "paired" if isinstance(found, Paired) else "unpaired"
        return cls(found.difference, *found.interval, found.p_value, method, reason)

    @classmethod
    def stored(cls, found: Stored) -> Change:
        return cls(found.difference, found.low, found.high, found.p_value, "paired")


@dataclass(frozen=True)
class Saving:
    """Energy per sample minus that of the first row, in uJ.

    Attributes:
        low, high: 95 % interval as of independent samples; None where a row has none.
        ratio: energy as a share of the first row's; None if that is 0.
    """

    difference: float
    low: float | None
    high: float | None
    ratio: float | None


@dataclass(frozen=True)
class Against:
    """A row against the first; where something is None, its reason says why."""

    accuracy: Change | None
    accuracy_reason: str
    energy: Saving | None
    energy_reason: str


def against(first: Row, row: Row) -> Against:
    """Compare a row with the first one."""
    no_accuracy, no_energy = _no_accuracy(first, row), _no_energy(first, row)
    return Against(
        None if no_accuracy else _change(first, row),
        no_accuracy,
        None if no_energy else _saving(first, row),
        no_energy,
    )


def _no_accuracy(first: Row, row: Row) -> str:
    for each in (first, row):
        if each.right is None:
            return f"the accuracy of {each.name} is not known"
    return _other_data(first, row)


def _no_energy(first: Row, row: Row) -> str:
    for each in (first, row):
        if each.energy is None:
            return f"the energy of {each.name} is not known"
    assert first.energy is not None and row.energy is not None
    if first.energy.model != row.energy.model:
        return f"another energy model: {row.energy.model}, not {first.energy.model}"
    return _other_data(first, row)


def _other_data(first: Row, row: Row) -> str:
    if first.source == row.source:
        return ""
    for each in (first, row):
        if not each.data:
            return f"the data of {each.name} are not told"
    return "" if first.data == row.data else f"other data: {row.data}, not {first.data}"


def _change(first: Row, row: Row) -> Change:
    if row.stored is not None and first.stored is not None and first.source == row.source:
        # The file tells differences from its float network only.
        if first.bits is None:
            return Change.stored(row.stored)
        reason = f"{first.name} is not the float network"
    else:
        reason = _no_pairs(first, row)
    if not reason:
        assert first.answers is not None and row.answers is not None
        return Change.of(row.answers.against(first.answers))
    assert first.right is not None and row.right is not None
    return Change.of(unpaired(first.right, row.right), reason)


def _no_pairs(first: Row, row: Row) -> str:
    """Why samples cannot be paired, "" if they can."""
    one, other = first.answers, row.answers
    for each in (first, row):
        if each.answers is None:
            return f"single answers of {each.name} are not stored"
    assert one is not None and other is not None
    if (one.samples, one.labels) != (other.samples, other.labels):
        return "other samples"
    if first.source == row.source:
        return ""
    if not first.data_sha256 or not row.data_sha256:
        return "no hash says that the samples are the same"
    if first.data_sha256 != row.data_sha256:
        why = "" if first.steps == row.steps else f", T is {row.steps} and {first.steps}"
        return f"other frames by their hash{why}"
    return ""


def _saving(first: Row, row: Row) -> Saving:
    one, other = first.energy, row.energy
    assert one is not None and other is not None
    low = high = None
    if None not in (one.low, one.high, other.low, other.high):
        assert one.low is not None and one.high is not None
        assert other.low is not None and other.high is not None
        low, high = difference_interval(
            one.mean, (one.low, one.high), other.mean, (other.low, other.high)
        )
    ratio = other.mean / one.mean if one.mean else None
    return Saving(other.mean - one.mean, low, high, ratio)
