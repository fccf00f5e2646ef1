"""The engine that a recipe asks for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import torch

from spikeport.core.errors import UsageError
from spikeport.train.engines.base import Engine
from spikeport.train.engines.devices import DeviceEngine
from spikeport.train.engines.threads import ThreadEngine
from spikeport.train.recipe import Recipe


@contextlib.contextmanager
def open_engine(
    recipe: Recipe, asked_to_stop: Callable[[], bool], device: str = "auto", loaders: int = 0
) -> Iterator[Engine]:
    """Seed torch, and give the engine; all that is global is put back afterwards.

    Args:
        asked_to_stop: looked at after every step.
        device: "auto", "cpu" or "cuda".
        loaders: processes that read data (engine devices).

    Raises:
        UsageError: the device is not there, or does not suit the recipe.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"{device!r} is no device.", where="device", fix="auto, cpu or cuda.")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("torch sees no GPU.", where="device", fix="Use --device cpu.")
    with _reproducible(recipe), contextlib.ExitStack() as closing:
        if recipe.engine == "devices":
            engine = DeviceEngine(recipe, asked_to_stop, device, loaders)
            closing.callback(engine.close)
            yield engine
            return
        if int(os.environ.get("WORLD_SIZE", "1")) > 1 or device == "cuda" or loaders:
            raise UsageError(
                "this recipe shares each batch out to threads of one process on a CPU.",
                where="engine",
                fix="Use engine=devices (and workers=1) for GPUs, several processes or loaders.",
            )
        yield ThreadEngine(recipe, asked_to_stop)


@contextlib.contextmanager
def _reproducible(recipe: Recipe) -> Iterator[None]:
    """Seed torch and fix its threads; put both back afterwards."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filling = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        try:
            torch.manual_seed(recipe.seed)
            if recipe.engine == "threads":
                # The workers are the parallelism.
                torch.set_num_threads(1)
            torch.use_deterministic_algorithms(recipe.deterministic)
            if recipe.deterministic and torch.cuda.is_available():
                # Without it cuBLAS refuses to be deterministic.
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            # It would write new memory twice, a sixth of the time, against readers of what nothing
            # wrote yet; there are none here.
            memory.fill_uninitialized_memory = False
            yield
        finally:
            memory.fill_uninitialized_memory = filling
            torch.use_deterministic_algorithms(deterministic)
            torch.set_num_threads(threads)
