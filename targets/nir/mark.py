"""What Spikeport says in the files that it writes: what NIR leaves open."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spikeport.convert.domain import Domain
from spikeport.core.checking import problems
from spikeport.core.errors import FileError

KEY = "spikeport"
"""Under which name it stands in the metadata of the graph."""

STEPS_LIMIT = 1_000_000

Fires = Literal["at", "above"]
"""Whether a membrane that meets its threshold exactly fires ("at") or not ("above")."""


class Mark(BaseModel):
    """The metadata, JSON in one string.

    Attributes:
        dt: seconds per time step.
        readout: what is left to do over time with the output: its mean, its sum, or nothing.
        domains: what the input carries, and what delays in loops carry.
        image_steps: for how many steps one static image is shown; None if each has its own frame.
        fixed_steps: the number of steps that the network is made for, None for any.
        paths: module of the traced model by node.
        extensions: kinds of the nodes that only Spikeport reads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    dt: float = Field(gt=0, allow_inf_nan=False)
    fires: Fires
    readout: Literal["none", "mean", "sum"] = "none"
    domains: dict[str, Domain] = {}
    image_steps: int | None = Field(default=None, ge=1, le=STEPS_LIMIT)
    fixed_steps: int | None = Field(default=None, ge=1, le=STEPS_LIMIT)
    paths: dict[str, str] = {}
    extensions: tuple[str, ...] = ()


def parse_mark(text: object) -> Mark:
    """The mark in a file.

    Raises:
        FileError: it is none that this version reads.
    """
    try:
        return Mark.model_validate_json(str(text))
    except ValidationError as error:
        raise FileError(
            f"what Spikeport noted in this file cannot be read ({problems(error)[:300]}).",
            where=KEY,
            fix="Use the Spikeport that wrote it, or lower the network again.",
        ) from error
