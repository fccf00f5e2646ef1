"""The layer table for programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from spikeport.core.files import atomic_path, write_json, write_text
from spikeport.estimate.origin import one_line

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport


def layers_parquet(report: EnergyReport, path: str | os.PathLike[str]) -> None:
    """The columns of `layers.csv`; headline and origin are metadata of the file too."""
    table = pa.Table.from_pandas(report.layers, preserve_index=False)
    facts = {"headline": report.headline, **report.origin}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **facts})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def stages_csv(report: EnergyReport, path: str | os.PathLike[str]) -> None:
    """One row per network stage and part (patch embedding, token mixing, MLP, head, ...).

    Raises:
        FileError: the file cannot be written.
    """
    table = report.stages.assign(headline=report.headline, origin=one_line(report.origin))
    write_text(path, table.to_csv(index=False))


def layers_json(report: EnergyReport, path: str | os.PathLike[str]) -> None:
    """The layers of `report.json` alone, with headline and origin."""
    whole = report.as_dict()
    write_json(path, {name: whole[name] for name in ("headline", "origin", "layers")})
