"""The optimiser, and how its learning rate moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from spikeport.core.errors import UsageError
from spikeport.train.recipe import Recipe

# Sets the learning rate for (epoch, share of it that is done).
Schedule = Callable[[int, float], None]


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """timm's optimiser of that name; biases and batch norms do not decay.

    Raises:
        UsageError: timm has none of that name.
    """
    from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers

    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    told = recipe.optimizer
    if told.name not in list_optimizers():
        raise UsageError(
            f"timm knows no optimiser {told.name!r}.",
            where="optimizer.name",
            fix=f"Known: {', '.join(list_optimizers())}.",
        )
    info = get_optimizer_info(told.name)
    extra = ({"betas": told.betas} if info.has_betas else {}) | (
        {"eps": told.eps} if info.has_eps else {}
    )
    made: torch.optim.Optimizer = create_optimizer_v2(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        opt=told.name,
        lr=recipe.highest_learning_rate,
        weight_decay=0.0,
        momentum=told.momentum,
        **extra,
    )
    return made


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe) -> Schedule:
    """How the learning rates of `optimizer` move. It has no state: a resumed run needs none."""
    if recipe.schedule.kind == "smooth_cosine":
        return _smooth(optimizer, recipe)
    from timm.scheduler import create_scheduler_v2

    told = recipe.schedule
    scheduler: Any
    scheduler, _ = create_scheduler_v2(
        optimizer,
        sched=told.kind,
        num_epochs=recipe.epochs,
        cooldown_epochs=told.cooldown_epochs,
        min_lr=told.min_lr,
        warmup_lr=told.warmup_lr,
        warmup_epochs=recipe.warmup_epochs,
        decay_epochs=told.decay_epochs,
        decay_rate=told.decay_rate,
    )
    return lambda epoch, share: scheduler.step(epoch)


def _smooth(optimizer: torch.optim.Optimizer, recipe: Recipe) -> Schedule:
    """Linear rise for the warm-up epochs, then half a cosine down to the lowest."""
    highest, low = recipe.highest_learning_rate, recipe.schedule.min_lr
    begin, warm = recipe.schedule.warmup_lr, recipe.warmup_epochs

    def move(number: int, share: float) -> None:
        epoch = number + share
        if epoch < warm:
            rate = begin + (highest - begin) * (epoch / warm)
        else:
            done = (epoch - warm) / (recipe.epochs - warm)
            factor = 0.5 * (1 + math.cos(math.pi * done))
            rate = low + (highest - low) * factor
        for group in optimizer.param_groups:
            group["lr"] = rate

    return move
