"""GPUs and processes, by Hugging Face's accelerate."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from spikeport.core.errors import SpikeportError, UsageError
from spikeport.train.engines.base import StepResult
from spikeport.train.engines.mixing import Criterion
from spikeport.train.recipe import Recipe
from spikeport.train.samples import Drawn, Samples, start_loader


class DeviceEngine:
    """Micro-batches on every device; gradients are added up over them and over the devices.

    A batch is the same micro-batches whatever the number of processes: 2 processes give the
    gradients of 1 that takes both its micro-batches one after the other, but for the order of
    sums. Random changes depend on the seed, the epoch and the sample only. The last batch of an
    epoch that is not full is left out, as timm does.
    """

    def __init__(
        self, recipe: Recipe, asked_to_stop: Callable[[], bool], device: str, loaders: int
    ) -> None:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState

        # accelerate keeps the settings of the first run of a process for all later ones.
        AcceleratorState._reset_state(reset_partial_state=True)
        cpu = device == "cpu" or not torch.cuda.is_available()
        precision = _precision(recipe, cpu)
        self._accelerator: Any = Accelerator(cpu=cpu, mixed_precision=precision)
        self.processes: int = self._accelerator.num_processes
        self.rank: int = self._accelerator.process_index
        self.device: torch.device = self._accelerator.device
        self._recipe, self._asked_to_stop, self._loaders = recipe, asked_to_stop, loaders
        self._micro = micro_batch_size(recipe, self.processes)
        self._criterion = Criterion(recipe, self._micro)
        _check_sync(recipe, self.device)

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        model.to(self.device)
        if self._recipe.sync_batch_norm and self.processes > 1:
            # Replaces the batch norms inside of the model.
            nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        self._bare = model
        self._model = self._accelerator.prepare_model(model)
        self._optimizer = self._accelerator.prepare_optimizer(optimizer)

    def steps(self, samples: Samples) -> int:
        return len(samples) // self._recipe.batch_size

    def learn(self, samples: Samples, epoch: int, first: int) -> Generator[StepResult, None, None]:
        steps = self.steps(samples)
        each = self._recipe.batch_size // (self.processes * self._micro)
        loader = iter(self._loader(samples, epoch, first, steps, each))
        for step in range(first, steps):
            total, right, seen = torch.zeros((), dtype=torch.float64), 0, 0
            self._optimizer.zero_grad()
            for number in range(each):
                frames, labels = (part.to(self.device, non_blocking=True) for part in next(loader))
                frames = frames if frames.is_floating_point() else frames.float()
                place = epoch, step, self.rank * each + number
                with self._told(), self._gathering(number == each - 1):
                    loss, hits = self._criterion(self._forward, frames, labels, place)
                    self._accelerator.backward(loss / each)
                total += float(loss.detach()) * len(labels)
                right, seen = right + hits, seen + len(labels)
            if step == first and self.processes > 1:
                check_all_learn(self._bare)
            sums = self.reduce([float(total), right, seen, self._asked_to_stop()])
            yield StepResult(sums[0], int(sums[1]), int(sums[2]), bool(sums[3]))

    def update(self) -> None:
        if self._recipe.clip is not None:
            self._accelerator.clip_grad_norm_(self._bare.parameters(), self._recipe.clip)
        self._optimizer.step()

    def reduce(self, values: list[float]) -> list[float]:
        if self.processes == 1:
            return [float(value) for value in values]
        with self._told():
            sums = torch.tensor(values, dtype=torch.float64, device=self.device)
            found: list[float] = self._accelerator.reduce(sums, reduction="sum").tolist()
        return found

    def share_buffers(self, model: nn.Module) -> None:
        if self.processes > 1:
            with self._told():
                for buffer in model.buffers():
                    torch.distributed.broadcast(buffer, 0)

    def wait(self) -> None:
        with self._told():
            self._accelerator.wait_for_everyone()

    def state(self) -> Mapping[str, Tensor]:
        scaler = self._accelerator.scaler
        told = {} if scaler is None else scaler.state_dict()
        return {f"scaler_{name}": torch.tensor(value) for name, value in told.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        if self._accelerator.scaler is not None:
            named = {name.removeprefix("scaler_"): value.item() for name, value in state.items()}
            self._accelerator.scaler.load_state_dict(named)

    def close(self) -> None:
        """Let go of the process group and of accelerate's settings."""
        from accelerate.state import AcceleratorState

        self._accelerator.end_training()
        AcceleratorState._reset_state(reset_partial_state=True)

    def _forward(self, frames: Tensor) -> Tensor:
        with self._accelerator.autocast():
            scores: Tensor = self._model(frames)
        return scores

    def _gathering(self, last: bool) -> contextlib.AbstractContextManager[None]:
        """Processes exchange gradients once a step, with the last micro-batch."""
        if last:
            return contextlib.nullcontext()
        held: contextlib.AbstractContextManager[None] = self._accelerator.no_sync(self._model)
        return held

    def _loader(self, samples: Samples, epoch: int, first: int, steps: int, each: int) -> Any:
        order = np.random.default_rng([self._recipe.seed, epoch]).permutation(len(samples))
        micro, size = self._micro, self._recipe.batch_size
        mine = [
            [(epoch, int(place)) for place in order[start : start + micro]]
            for step in range(first, steps)
            for number in range(each)
            for start in [step * size + (self.rank * each + number) * micro]
        ]
        return DataLoader(
            Drawn(samples, self._recipe.seed),
            batch_sampler=mine,
            num_workers=self._loaders,
            worker_init_fn=start_loader,
            pin_memory=self.device.type == "cuda",
        )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say that a process is gone, rather than what the transport says of it."""
        try:
            yield
        except RuntimeError as error:
            if self.processes == 1 or not _is_lost(error):
                raise
            raise SpikeportError(
                f"another process of this run is gone ({str(error).splitlines()[0][:200]}).",
                where=f"process {self.rank} of {self.processes}",
                fix="Its own message says why; go on with --resume.",
            ) from error


def micro_batch_size(recipe: Recipe, processes: int) -> int:
    """Samples that go through the network at once on each device.

    Raises:
        UsageError: a batch cannot be shared out evenly.
    """
    size = recipe.micro_batch_size or recipe.batch_size // processes
    if size < 2 or recipe.batch_size % (size * processes):
        raise UsageError(
            f"batches of {recipe.batch_size} cannot be shared out evenly to {processes} "
            f"{'process' if processes == 1 else 'processes'} in parts of {size}.",
            where="batch_size",
            fix="Set batch_size to a multiple of micro_batch_size times the number of processes.",
        )
    return size


def _precision(recipe: Recipe, cpu: bool) -> str:
    if recipe.precision == "mixed":
        return "bf16" if cpu else "fp16"
    if recipe.precision == "fp16" and cpu:
        raise UsageError(
            "fp16 needs a GPU.",
            where="precision",
            fix="Use precision=bf16, mixed or float32.",
        )
    return "no" if recipe.precision == "float32" else recipe.precision


def _check_sync(recipe: Recipe, device: torch.device) -> None:
    if recipe.sync_batch_norm and device.type != "cuda":
        raise UsageError(
            "batch norm over several devices is there for GPUs only: gloo, which joins processes "
            "on CPUs, has none.",
            where="sync_batch_norm",
            fix="Leave it out; each process then takes its own statistics.",
        )


def check_all_learn(model: nn.Module) -> None:
    """Processes exchange gradients when all are there, so that a missing one keeps back others.

    Raises:
        UsageError: a weight that is to learn has no gradient.
    """
    idle = [
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad and weight.grad is None
    ]
    if idle:
        shown = ", ".join(idle[:3]) + (", ..." if len(idle) > 3 else "")
        raise UsageError(
            f"{len(idle)} weights are to learn and have no part in the loss ({shown}): several "
            "processes would wait for their gradients.",
            where=idle[0],
            fix="Call requires_grad_(False) on them where the model is built, or train with one "
            "process.",
        )


def _is_lost(error: RuntimeError) -> bool:
    if isinstance(error, torch.distributed.DistError):
        return True
    words = ("Connection closed by peer", "Connection reset", "gloo", "NCCL", "Broken pipe")
    return any(word in str(error) for word in words)
