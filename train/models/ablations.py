"""Every row of the ablation tables of arXiv 2505.18608 as a model, by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from spikeport.train.models.catalogue import CIFAR, CIFAR_FORMER, FORMER, stages
from spikeport.train.models.zoo import MODELS, ModelEntry

_ROWS = Path(__file__).with_name("ablations.toml")
_DEPTHS = {"CIFAR-100": (1, 1, 2), "CIFAR10-DVS": (1, 1)}


def _entry(row: dict[str, Any]) -> ModelEntry:
    data = row["data"]
    images = data == "CIFAR-100"
    accuracy = " and ".join(f"{value} %" for _, value in row["published"])
    options = {**CIFAR_FORMER, "num_classes": 100} if images else {}
    plan = zip(row["embeddings"], row["mixers"], _DEPTHS[data], strict=True)
    return ModelEntry(
        description=f"{'/'.join(row['embeddings'])} with {'/'.join(row['mixers'])} on {data}: "
        f"published with {accuracy}{', input assumed' if row.get('assumed') else ''}",
        family=FORMER,
        steps=4 if images else 16,
        defaults={**options, "stages": stages(*plan)},
        published=tuple((f"table {table}", value) for table, value in row["published"]),
        assumed=row.get("assumed", False),
        **(CIFAR if images else {}),
    )


for _name, _row in tomllib.loads(_ROWS.read_text(encoding="utf-8")).items():
    MODELS.add(_name, _entry(_row))
