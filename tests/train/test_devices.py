"""Training on devices: resumable to the bit, the same on several processes, never left hanging."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blobs import on_devices, on_threads
from torch import nn
from torch.nn import functional
from torch.optim.optimizer import register_optimizer_step_post_hook

from spikeport.core.errors import SpikeportError, UsageError
from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.train.checkpoint import checkpoint_info, load_model
from spikeport.train.engines import DeviceEngine
from spikeport.train.engines.devices import check_all_learn, micro_batch_size
from spikeport.train.learning import start
from spikeport.train.loop import FitResult, fit, open_splits
from spikeport.train.models import create_model
from spikeport.train.samples import Drawn
from spikeport.train.stopping import Stopped, on_sigterm

SUPPORT = Path(__file__).parents[1] / "support"
DIFFERENCE = 1e-5
"""Relative, between losses of one process and of two: float32 sums in another order."""


def _same(a: Path, b: Path) -> bool:
    first, second = (load_tensors(path)[0] for path in (a, b))
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def _ask_to_stop_in(number: int) -> Any:
    """Raise SIGTERM while the optimiser makes its step of that number."""
    taken: list[int] = []

    def ask(*_: object) -> None:
        taken.append(1)
        if len(taken) == number:
            signal.raise_signal(signal.SIGTERM)

    return register_optimizer_step_post_hook(ask)


# Five steps an epoch; the step after the signal notices it.
@pytest.mark.parametrize(("signalled", "stops"), [(4, (1, 5)), (6, (2, 2))])
def test_stopped_and_resumed_run_ends_like_a_straight_one(
    tmp_path: Path, signalled: int, stops: tuple[int, int]
) -> None:
    recipe = on_devices(
        data={"spec": "blobs", "steps": 2, "train_seeds": (0, 1), "validation": 0.17},
        schedule={"kind": "cosine", "min_lr": 1e-3, "cooldown_epochs": 1},
        choose="validation",
        batch_size=4,
        clip=1.0,
    )
    straight = fit(recipe, tmp_path / "straight")
    handle = _ask_to_stop_in(signalled)
    with pytest.raises(Stopped) as stopped:
        fit(recipe, tmp_path / "resumed")
    handle.remove()
    assert (stopped.value.epoch, stopped.value.step) == stops
    resumed = fit(recipe, tmp_path / "resumed", resume=True)
    for name in ("state", "best", "max_former_digits"):
        pair = (tmp_path / run / f"{name}.safetensors" for run in ("straight", "resumed"))
        assert _same(*pair), name
    parts = ("loss", "train_accuracy", "learning_rate", "validation_accuracy")
    for one, other in zip(straight.history, resumed.history, strict=True):
        assert [getattr(one, part) for part in parts] == [getattr(other, part) for part in parts]
    assert len(straight.history) == 3 and straight.validation_samples == 4
    assert straight.chosen_by == "validation split"
    scores = [report.validation_accuracy for report in straight.history]
    assert scores[straight.epoch - 1] == max(scores)
    info = checkpoint_info(load_tensors(straight.checkpoint)[1])
    assert info is not None and (info.chosen_by, info.epoch) == ("validation split", straight.epoch)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    """One process that takes both micro-batches of each step."""
    return fit(on_devices(), tmp_path_factory.mktemp("alone"), keep=1, tensorboard=True)


def test_logs_and_kept_weights(alone: FitResult) -> None:
    folder = alone.checkpoint.parent
    with (folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [report.loss for report in alone.history]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    told = [event.value for event in events.Scalars("loss")]
    assert told == pytest.approx([report.loss for report in alone.history])
    assert [path.name for path in (folder / "epochs").iterdir()] == ["0002.safetensors"]
    # Those of the last epoch are those that were kept.
    assert _same(folder / "epochs" / "0002.safetensors", alone.checkpoint)
    assert load_model("max_former_digits", alone.checkpoint).num_classes == 2


def test_reading_processes_change_nothing(alone: FitResult, tmp_path: Path) -> None:
    assert _same(fit(on_devices(), tmp_path, loaders=2).checkpoint, alone.checkpoint)


def _two_processes(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    """Train as `fit_blobs.py` does, in two processes."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", str(SUPPORT / "fit_blobs.py"), str(folder), how),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_two_processes_give_the_losses_of_one(alone: FitResult, tmp_path: Path) -> None:
    """Batch norm sees the same micro-batches, so that nothing but the order of sums differs."""
    done = _two_processes(tmp_path, "whole")
    assert done.returncode == 0, done.stderr
    # torch warns where it looks for weights without a part in the loss and finds none.
    assert "unused" not in done.stderr
    losses = json.loads((tmp_path / "losses.json").read_text())
    expected = [report.loss for report in alone.history]
    np.testing.assert_allclose(losses, expected, rtol=DIFFERENCE)
    mine, theirs = (
        load_model("max_former_digits", folder / "max_former_digits.safetensors").state_dict()
        for folder in (alone.checkpoint.parent, tmp_path / "whole")
    )
    torch.testing.assert_close(theirs["head.weight"], mine["head.weight"], rtol=1e-3, atol=1e-5)


def test_a_weight_that_has_no_part_in_the_loss_is_told_where_others_would_wait_for_it() -> None:
    model = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2)})
    model["used"](torch.ones(1, 2)).sum().backward()
    with pytest.raises(UsageError, match=r"2 weights .*\(idle.weight, idle.bias\)"):
        check_all_learn(model)
    model["idle"].requires_grad_(False)
    check_all_learn(model)


def test_a_killed_process_ends_the_run_and_is_told(tmp_path: Path) -> None:
    """The other one must not wait for it; what was saved is whole."""
    done = _two_processes(tmp_path, "killed")
    died = tmp_path / "died-at"
    assert died.exists(), done.stderr
    assert time.time() - float(died.read_text()) < 60
    assert done.returncode != 0
    # torchrun says which; the other process may have been ended before it could say so too.
    assert "SIGKILL" in done.stderr
    assert load_tensors(tmp_path / "killed" / "state.safetensors")[0]
    assert not (tmp_path / "killed" / "max_former_digits.safetensors").exists()


def test_gradient_is_that_of_the_whole_batch_where_batch_norm_is_still() -> None:
    recipe = on_devices(mix={}, augment={}, micro_batch_size=2, ema_decay=0.0)
    engine = DeviceEngine(recipe, lambda: False, "cpu", 0)
    torch.manual_seed(0)
    state, _ = start(create_model(recipe.model, **recipe.options), recipe, engine)
    state.model.eval()
    samples = open_splits(recipe).train[0]
    result = next(engine.learn(samples, 0, 0))
    assert result.seen == 8 and not result.stop
    found = [weight.grad.clone() for weight in state.model.parameters() if weight.grad is not None]
    order = np.random.default_rng([recipe.seed, 0]).permutation(len(samples))[:8]
    frames = torch.stack([samples.plain(int(place)) for place in order])
    labels = torch.from_numpy(samples.labels[order])
    state.model.zero_grad()
    loss = functional.cross_entropy(state.model(frames), labels, label_smoothing=0.1)
    loss.backward()
    assert result.loss == pytest.approx(8 * float(loss.detach()), rel=1e-5)
    whole = [weight.grad for weight in state.model.parameters() if weight.grad is not None]
    for one, other in zip(found, whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_half_precision_trains(tmp_path: Path) -> None:
    recipe = on_devices(precision="mixed", batch_norm="running", ema_decay=0.0, epochs=1)
    result = fit(recipe, tmp_path)
    assert np.isfinite(result.history[0].loss)
    kept = load_tensors(result.checkpoint)[0].values()
    assert {tensor.dtype for tensor in kept} == {torch.float32, torch.int64}


def test_counts_stay_bytes_until_they_are_mapped() -> None:
    plain = on_devices(augment={"flip": 1.0})
    samples = open_splits(plain).train[0]
    frames = Drawn(samples, seed=0)[0, 3][0]
    assert frames.dtype == torch.uint8
    assert torch.equal(frames.float(), samples.plain(3).flip(-1))
    assert Drawn(open_splits(on_devices()).train[0], seed=0)[0, 3][0].dtype == torch.float32


def test_a_sample_is_changed_alike_wherever_it_is_read() -> None:
    samples = open_splits(on_devices()).train[0]
    drawn = Drawn(samples, seed=3)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = drawn[1, 7][0]
    assert torch.equal(torch.get_rng_state(), before)
    drawn[0, 3]
    assert torch.equal(drawn[1, 7][0], first)
    assert not torch.equal(torch.stack([drawn[e, 7][0] for e in range(9)])[1:], first)


def test_a_lost_process_is_told_in_our_words() -> None:
    engine = DeviceEngine(on_devices(), lambda: False, "cpu", 0)
    engine.processes = 2
    lost = RuntimeError("[pair.cc:545] Read error: Connection reset by peer")
    with pytest.raises(SpikeportError, match="another process of this run is gone"), engine._told():
        raise lost
    with pytest.raises(RuntimeError, match="shapes"), engine._told():
        raise RuntimeError("shapes differ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"precision": "fp16"}, "fp16 needs a GPU"),
        ({"sync_batch_norm": True}, "gloo"),
        ({"batch_size": 40}, "less than one batch"),
        ({"optimizer": {"name": "adamv"}}, "no optimiser"),
        ({"micro_batch_size": None, "batch_size": 5}, "mixed in pairs"),
        ({"data": {"spec": "blobs", "validation": 0.01}}, "held out"),
    ],
)
def test_what_cannot_be_is_told(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        fit(on_devices(**changes), tmp_path, device="cpu")


def test_batches_are_shared_out_evenly_or_not_at_all() -> None:
    assert micro_batch_size(on_devices(), 2) == 4
    assert micro_batch_size(on_devices(micro_batch_size=None), 4) == 2
    for processes in (3, 8):
        with pytest.raises(UsageError, match="shared out evenly"):
            micro_batch_size(on_devices(), processes)


def test_devices_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no device"):
        fit(on_devices(), tmp_path, device="tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no GPU"):
        fit(on_devices(), tmp_path, device="cuda")


def test_threads_are_for_one_process_on_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="threads of one process"):
        fit(on_threads(), tmp_path, loaders=2)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="threads of one process"):
        fit(on_threads(), tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"), [({"samples": 99}, "99 samples"), ({"processes": 2}, "2 processes")]
)
def test_resuming_with_other_data_or_processes(
    changed: dict[str, int], told: str, tmp_path: Path
) -> None:
    recipe = on_devices(micro_batch_size=None, epochs=1, batch_norm="running")
    fit(recipe, tmp_path)
    file = tmp_path / "state.safetensors"
    tensors, metadata = load_tensors(file)
    content = json.loads(metadata["spikeport.training"]) | changed
    save_tensors(file, tensors, {"spikeport.training": json.dumps(content)})
    with pytest.raises(UsageError, match=told):
        fit(recipe, tmp_path, resume=True)


def test_sigterm_means_what_it_did_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with on_sigterm() as asked:
        signal.raise_signal(signal.SIGTERM)
        assert asked()
    assert signal.getsignal(signal.SIGTERM) is before


def test_batch_norms_over_devices_are_replaced_inside() -> None:
    """What the engine relies on, without a GPU."""
    model = create_model("max_former_digits", dim=16, heads=2, image_size=(16, 16))
    names = [n for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)]
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert converted is model and names
    assert all(isinstance(model.get_submodule(name), nn.SyncBatchNorm) for name in names)
