"""Figures of publications: what they say of accuracy and energy, and by which convention."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Literal

from pydantic import Field

from spikeport.core.errors import UnknownNameError
from spikeport.estimate.figures import Strict
from spikeport.estimate.toml import parse, shipped

ALL = "all"
"""Name for all tables together."""
_UJ_PER_MJ = 1000


class Convention(StrEnum):
    """How a published energy was counted; 45 nm, 4.6 pJ a MAC and 0.9 pJ an AC."""

    ONCE = "once"
    EACH_STEP = "each-step"
    MAC = "mac"
    UNKNOWN = "unknown"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Convention.ONCE: "first convolution charged once",
    Convention.EACH_STEP: "first convolution charged at each step",
    Convention.MAC: "ANN, all operations as MACs",
    Convention.UNKNOWN: "how the first convolution is charged is not known",
}


class PublishedRow(Strict):
    """One row of a published table, as printed there; what is not told is None.

    Attributes:
        kind: SNN trained as such, ANN, or an SNN converted from one.
        data: data set.
        parameters_m: million.
        sop_g: synaptic operations, 1e9.
        energy_mj: per sample.
        top1: in %.
        membrane_shortcut: whether shortcuts add membrane currents rather than spikes.
        resolution: pixels of a side.
        convention: of the energy.
        verified: whether the energy was confirmed beyond one copy.
    """

    model: str = Field(min_length=1)
    arch: str = ""
    kind: Literal["SNN", "ANN", "converted"] = "SNN"
    data: str = ""
    steps: int | None = Field(default=None, ge=1)
    parameters_m: Decimal | None = Field(default=None, gt=0)
    sop_g: Decimal | None = Field(default=None, gt=0)
    energy_mj: Decimal | None = Field(default=None, gt=0)
    top1: Decimal = Field(gt=0, le=100)
    membrane_shortcut: bool | None = None
    resolution: int | None = Field(default=None, gt=0)
    convention: Convention | None = None
    verified: bool = True
    note: str = ""

    @property
    def name(self) -> str:
        """Model, size and T."""
        steps = "" if self.steps is None else f"T={self.steps}"
        return " ".join(filter(None, [self.model, self.arch, steps]))

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        return float(self.top1 / 100)

    @property
    def energy_uj(self) -> float | None:
        """uJ per sample."""
        return None if self.energy_mj is None else float(self.energy_mj * _UJ_PER_MJ)


class Publication(Strict):
    """A table of a publication; its entries hold for the rows that do not tell their own."""

    source: str = Field(min_length=1)
    data: str = ""
    resolution: int | None = Field(default=None, gt=0)
    convention: Convention = Convention.UNKNOWN
    note: str = ""
    rows: tuple[PublishedRow, ...] = Field(min_length=1)


class Published(Strict):
    """A row with the table that it is from, all entries filled in.

    Attributes:
        table: name of the table here.
        source: publication and table.
    """

    table: str
    source: str
    row: PublishedRow

    @property
    def convention(self) -> Convention:
        return self.row.convention or Convention.UNKNOWN


@cache
def publications() -> dict[str, Publication]:
    """All tables by name."""
    return {
        name.removesuffix(".toml"): parse(
            Publication, text, name, kind="published table", fix="Give each row model and top1."
        )
        for name, text in shipped("spikeport.comparison.published")
    }


def published(name: str) -> tuple[Published, ...]:
    """The rows of one table, or of all.

    Args:
        name: of a table, or `ALL`.

    Raises:
        UnknownNameError: no table has this name.
    """
    tables = publications()
    if name != ALL and name not in tables:
        raise UnknownNameError("published table", name, [*tables, ALL])
    return tuple(
        _filled(key, table, row)
        for key, table in tables.items()
        if name in (key, ALL)
        for row in table.rows
    )


def _filled(name: str, table: Publication, row: PublishedRow) -> Published:
    own = {
        "data": row.data or table.data,
        "resolution": row.resolution or table.resolution,
        "note": "; ".join(filter(None, [row.note, table.note])),
        "convention": row.convention or table.convention,
    }
    return Published(table=name, source=table.source, row=row.model_copy(update=own))
