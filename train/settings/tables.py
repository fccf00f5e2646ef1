"""Settings of a training run beyond the data: augmentation, mixing, optimiser, schedule."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from spikeport.train.data.frames import Framing


class Settings(BaseModel):
    """A table of settings: unknown ones are refused, and none changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataRecipe(Settings):
    """What is learnt from.

    Args:
        spec: data set, `NAME` or `NAME:PATH`.
        train, test: splits; the accuracy reported is that on `test`.
        steps: frames T of each recording; images have none.
        framing: frames of equal event "count" or equal "time".
        test_seed: simulation the accuracy is measured on (simulated data only).
        train_seeds: simulations of the training split; epochs take them in turn.
        validation: share of each class of the training split that is held out of training, drawn by
            the seed of the recipe, and looked at after every epoch.
    """

    spec: str
    train: str = "train"
    test: str = "test"
    steps: int = Field(default=4, ge=1)
    framing: Framing = "count"
    test_seed: int = Field(default=0, ge=0)
    train_seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    validation: float = Field(default=0.0, ge=0, lt=1)


class AugmentRecipe(Settings):
    """Bounds of the random map of each training recording, the same for all its frames.

    Args:
        shift: in pixels, both ways and along both axes.
        rotate: in degrees, both ways.
        scale: relative, both ways, each axis on its own.
        shear: in degrees, both ways.
        elastic: standard deviation, in pixels, of a smooth random displacement on top.
        flip: probability of a mirror image, left for right.
        policy: "wide": one operation drawn for each recording, see `wide`.
    """

    shift: float = Field(default=0.0, ge=0)
    rotate: float = Field(default=0.0, ge=0)
    scale: float = Field(default=0.0, ge=0, lt=1)
    shear: float = Field(default=0.0, ge=0)
    elastic: float = Field(default=0.0, ge=0)
    flip: float = Field(default=0.0, ge=0, le=1)
    policy: Literal["none", "wide"] = "none"

    @property
    def maps(self) -> bool:
        """Whether pixels are mapped at all by the first five."""
        return any((self.shift, self.rotate, self.scale, self.shear, self.elastic))


class ImageRecipe(Settings):
    """How images are cut, changed and normalised, by timm's `create_transform`.

    Args:
        scale, ratio: ranges of the area and of the aspect of the random crop.
        flip: probability of a mirror image.
        color_jitter: used only without `auto_augment`.
        auto_augment: policy in timm's notation, such as "rand-m9-n1-mstd0.4-inc1".
        interpolation: of resizing: "bicubic", "bilinear" or "random".
        erase_prob, erase_mode: random erasing: how often, and by what ("const", "rand", "pixel").
        crop: share of the image's side that the centre crop of evaluation keeps.
        mean, std: of each channel in 0..1, subtracted and divided by; those of the model if None.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (0.75, 4 / 3)
    flip: float = Field(default=0.5, ge=0, le=1)
    color_jitter: float = Field(default=0.0, ge=0)
    auto_augment: str | None = None
    interpolation: Literal["bicubic", "bilinear", "random"] = "bicubic"
    erase_prob: float = Field(default=0.0, ge=0, le=1)
    erase_mode: Literal["const", "rand", "pixel"] = "const"
    crop: float = Field(default=1.0, gt=0, le=1)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


class MixRecipe(Settings):
    """Samples mixed with one another and their labels too (timm's `Mixup`, one draw for a batch).

    Args:
        mixup, cutmix: alpha of the beta distribution; 0 is without.
        prob: of mixing a batch at all.
        switch_prob: of CutMix where both are on.
        off_epoch: epochs after which nothing is mixed any more; None: never off.
    """

    mixup: float = Field(default=0.0, ge=0)
    cutmix: float = Field(default=0.0, ge=0)
    prob: float = Field(default=1.0, ge=0, le=1)
    switch_prob: float = Field(default=0.5, ge=0, le=1)
    off_epoch: int | None = Field(default=None, ge=1)

    @property
    def on(self) -> bool:
        """Whether anything is mixed."""
        return self.mixup > 0 or self.cutmix > 0


class OptimizerRecipe(Settings):
    """Which optimiser, by its name in timm.

    Args:
        name: such as "adamw", "sgd", "lamb".
        betas: of the Adam family.
        eps: of the Adam family.
        momentum: of the others.
    """

    name: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    momentum: float = Field(default=0.9, ge=0)


class ScheduleRecipe(Settings):
    """How the learning rate moves.

    Args:
        kind: "smooth_cosine" moves at every step: a linear rise, then half a cosine. The others are
            timm's and move once an epoch; their warm-up runs while the curve goes on underneath.
        min_lr: where the curve ends.
        warmup_lr: where the warm-up begins.
        cooldown_epochs: epochs at `min_lr` that follow after `epochs`.
        decay_epochs, decay_rate: of "step" and "poly".
    """

    kind: Literal["smooth_cosine", "cosine", "step", "poly", "constant"] = "smooth_cosine"
    min_lr: float = Field(default=0.0, ge=0)
    warmup_lr: float = Field(default=0.0, ge=0)
    cooldown_epochs: int = Field(default=0, ge=0)
    decay_epochs: float = Field(default=30.0, gt=0)
    decay_rate: float = Field(default=0.1, gt=0)

    @model_validator(mode="after")
    def _cools(self) -> Self:
        if self.kind == "smooth_cosine" and self.cooldown_epochs:
            raise ValueError("cooldown_epochs needs another kind than smooth_cosine")
        return self
