"""What can be chosen about a Max-Former and its relatives."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from spikeport.train.models.embeddings import EMBEDDINGS, EncodingEmbedding
from spikeport.train.models.embeddings.registry import MakeEmbedding
from spikeport.train.models.mixers import MIXERS
from spikeport.train.models.stf.options import StfOptions, stf_by_name


class Stage(BaseModel):
    """One stage: a patch embedding, then `depth` blocks of token mixer and MLP.

    Args:
        embedding: a key of `EMBEDDINGS`.
        mixer: a key of `MIXERS`.
        depth: number of blocks.
        width, heads, mlp_ratio: of this stage; None for those of the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding: str
    mixer: str
    depth: int = Field(default=1, ge=1)
    width: int | None = Field(default=None, ge=1)
    heads: int | None = Field(default=None, ge=1)
    mlp_ratio: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name, registry in ((self.embedding, EMBEDDINGS), (self.mixer, MIXERS)):
            if name not in registry:
                raise ValueError(
                    f"no {registry.kind} is called {name}; known: {', '.join(registry)}"
                )
        return self


@dataclass(frozen=True)
class StagePlan:
    """A stage in numbers; see `Stage`."""

    embedding: str
    mixer: str
    depth: int
    in_channels: int
    width: int
    heads: int
    hidden: int


EVENT_STAGES = (
    Stage(embedding="max_plus", mixer="dwc3"),
    Stage(embedding="max", mixer="ssa"),
)


class FormerOptions(BaseModel):
    """Options of `create_model` for Max-Former, MS-QKFormer and all that is made of such stages.

    Args:
        in_channels: channels of a frame (2: OFF and ON events).
        num_classes: width of the output.
        dim: channels D of the last stage; each stage before has half of the next.
        heads: attention heads; divides the width of each stage that has attention.
        mlp_ratio: hidden width of the MLPs over their width.
        image_size: height and width of a frame in pixels, multiples of the whole down-sampling.
        steps: None for sequences of frames, whose T is free; a number for static images, which are
            shown that many time steps.
        stf: temporal feedback around the encoding layer: `StfOptions`, or the name of a variant
            (then for the T of `steps`, or 4).
        head: "mean_first" is linear(mean over T), "each_step" is the mean over T of linear: the
            same scores, another number of operations.
        stages: from the input to the head.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_channels: int = Field(default=2, ge=1)
    num_classes: int = Field(default=10, ge=1)
    dim: int = Field(default=256, ge=1)
    heads: int = Field(default=16, ge=1)
    mlp_ratio: float = Field(default=1.0, gt=0)
    image_size: tuple[int, int] = (128, 128)
    steps: int | None = Field(default=None, ge=1)
    stf: Annotated[StfOptions | None, BeforeValidator(stf_by_name)] = None
    head: Literal["mean_first", "each_step"] = "mean_first"
    stages: tuple[Stage, ...] = Field(default=EVENT_STAGES, min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        plans = self.plan()
        for number, plan in enumerate(plans, start=1):
            embedding = EMBEDDINGS[plan.embedding]
            if number > 1 and _reads_frames(embedding):
                raise ValueError(
                    f"embedding {plan.embedding} reads frames, so it can only be first"
                )
            if plan.width % embedding.narrowing or not plan.width:
                raise ValueError(
                    f"dim {self.dim} gives stage {number} {plan.width} channels, "
                    f"and {plan.embedding} needs a multiple of {embedding.narrowing}"
                )
            if MIXERS[plan.mixer].slot == "attn" and plan.width % plan.heads:
                raise ValueError(
                    f"heads {plan.heads} does not divide {plan.width}, the width of stage {number}"
                )
        shrink = prod(EMBEDDINGS[plan.embedding].stride for plan in plans)
        if any(side < shrink or side % shrink for side in self.image_size):
            raise ValueError(f"image_size {self.image_size} is not a multiple of {shrink}")
        return self

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.in_channels, *self.image_size

    def plan(self) -> tuple[StagePlan, ...]:
        """The stages with all numbers filled in."""
        plans: list[StagePlan] = []
        channels = self.in_channels
        for behind, stage in zip(range(len(self.stages) - 1, -1, -1), self.stages, strict=True):
            width = stage.width or self.dim // 2**behind
            plans.append(
                StagePlan(
                    embedding=stage.embedding,
                    mixer=stage.mixer,
                    depth=stage.depth,
                    in_channels=channels,
                    width=width,
                    heads=stage.heads or self.heads,
                    hidden=int(width * (stage.mlp_ratio or self.mlp_ratio)),
                )
            )
            channels = width
        return tuple(plans)


def _reads_frames(embedding: MakeEmbedding) -> bool:
    return isinstance(embedding, type) and issubclass(embedding, EncodingEmbedding)
