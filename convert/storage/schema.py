"""What the header of a graph file holds."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from spikeport.convert.domain import Domain

FORMAT = "spikeport-graph"
FORMAT_VERSION = 2
SUFFIX = ".spg"
HEADER_LIMIT = 100_000_000  # bytes; what a safetensors header may hold
ELEMENTS_LIMIT = 2**40
"""Elements of one value per step and sample: no network has more, a damaged file may say so."""

CONVENTIONS = {
    "axes": "time first where there is one, then batch; shapes leave both out",
    "layout": "features as [C, H, W]; weights as in PyTorch, convolutions not flipped",
    "state": "neurons rest before the first step of each sample",
    "edges": "inputs of a node by port; an edge carries its value within the same time step",
}
"""How a file is to be read. One that was written under others is refused, not guessed at."""

# An infinite threshold is how a neuron is kept from firing; JSON's null would be another one.
_CONFIG = ConfigDict(extra="forbid", strict=True, frozen=True, ser_json_inf_nan="constants")


def _bounded(shape: tuple[int, ...]) -> tuple[int, ...]:
    if math.prod(shape) > ELEMENTS_LIMIT:
        raise ValueError(f"more than {ELEMENTS_LIMIT} elements")
    return shape


Size = Annotated[int, Field(ge=1, le=ELEMENTS_LIMIT)]
StoredShape = Annotated[tuple[Size, ...], Field(max_length=16), AfterValidator(_bounded)]


class StoredTensor(BaseModel):
    """Size and type of a parameter, so that a file whose numbers do not fit is seen at once."""

    model_config = _CONFIG

    dtype: str
    shape: tuple[Annotated[int, Field(ge=0)], ...]


class StoredNode(BaseModel):
    """One node: `Node`, with the fields of its op split into JSON values and tensors."""

    model_config = _CONFIG

    name: str = Field(min_length=1)
    kind: str
    inputs: tuple[str, ...]
    path: str
    attributes: dict[str, Any]
    tensors: dict[str, StoredTensor]
    shape: StoredShape
    domain: Domain
    per_step: bool


class StoredGraph(BaseModel):
    """The whole header."""

    model_config = _CONFIG

    conventions: dict[str, str]
    nodes: tuple[StoredNode, ...]
    outputs: tuple[str, ...] = Field(min_length=1)
    metadata: dict[str, Any]


def tensor_name(node: str, field: str) -> str:
    """Under which name a parameter is stored."""
    return f"{node}/{field}"
