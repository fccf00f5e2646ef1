"""Training: reproducible, resumable, never half written."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from blobs import SETTINGS
from torch import nn

from spikeport.core import tensors as core_tensors
from spikeport.core.errors import FileError, UsageError
from spikeport.train import learning
from spikeport.train.augment import augment
from spikeport.train.checkpoint import load_model
from spikeport.train.data import open_data
from spikeport.train.evaluate import accuracy
from spikeport.train.loop import fit
from spikeport.train.models import create_model
from spikeport.train.recipe import AugmentRecipe, Recipe, parse_recipe
from spikeport.train.state import EpochReport, TrainingState


def _same(a: Path, b: Path) -> bool:
    first, second = (core_tensors.load_tensors(path)[0] for path in (a, b))
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def _interrupt(report: EpochReport) -> None:
    signal.raise_signal(signal.SIGINT)


def test_same_recipe_gives_the_same_weights(tiny_recipe: Recipe, tmp_path: Path) -> None:
    one, two = (fit(tiny_recipe, tmp_path / name) for name in "ab")
    assert _same(one.checkpoint, two.checkpoint)
    assert one.accuracy == two.accuracy and len(one.history) == 2
    assert one.seconds > 0 and one.cpu_seconds > 0
    other = fit(tiny_recipe.model_copy(update={"seed": 1}), tmp_path / "c")
    assert not _same(one.checkpoint, other.checkpoint)


def test_interrupted_run_ends_like_a_straight_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    straight = fit(tiny_recipe, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        fit(tiny_recipe, tmp_path / "resumed", on_epoch=_interrupt)
    seen: list[EpochReport] = []
    resumed = fit(tiny_recipe, tmp_path / "resumed", resume=True, on_epoch=seen.append)
    assert [report.epoch for report in seen] == [2]
    assert _same(straight.checkpoint, resumed.checkpoint)
    states = (tmp_path / name / "state.safetensors" for name in ("straight", "resumed"))
    assert _same(*states)
    assert [r.loss for r in straight.history] == [r.loss for r in resumed.history]


def test_interruption_while_writing_leaves_the_last_state(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(tiny_recipe, tmp_path, on_epoch=_interrupt)
    before = (tmp_path / "state.safetensors").read_bytes()

    def half_written(flat: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(core_tensors, "save_file", half_written)
        with pytest.raises(KeyboardInterrupt):
            fit(tiny_recipe, tmp_path, resume=True)
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "state.safetensors"}
    assert (tmp_path / "state.safetensors").read_bytes() == before
    assert fit(tiny_recipe, tmp_path, resume=True).history[-1].epoch == 2


def test_a_kill_between_state_and_best_weights_leaves_them_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where an epoch that is repeated does not give the same weights."""
    held_out = {"data": {"spec": "blobs", "steps": 2, "validation": 0.17}, "choose": "validation"}
    recipe = parse_recipe(SETTINGS | {"workers": 2} | held_out, "tiny")
    scores = iter([0.2, 0.9, 0.1])
    monkeypatch.setattr(learning, "shared_accuracy", lambda *_: next(scores))
    saved: list[object] = []

    def until_killed(save: Callable[..., None]) -> Callable[..., None]:
        def saving(*told: object) -> None:
            # Three in each epoch: state, best weights, and those that are kept.
            if len(saved) == 5:
                raise KeyboardInterrupt
            saved.append(told)
            save(*told)

        return saving

    with monkeypatch.context() as patch:
        patch.setattr(learning, "save_tensors", until_killed(learning.save_tensors))
        patch.setattr(TrainingState, "save", until_killed(TrainingState.save))
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, tmp_path, keep=2)
    resumed = fit(recipe, tmp_path, resume=True)
    assert _same(resumed.checkpoint, tmp_path / "epochs" / f"{resumed.epoch:04d}.safetensors")


def test_learns_and_reports_the_accuracy_of_what_it_wrote(
    tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = tiny_recipe.model_copy(update={"epochs": 12})
    result = fit(recipe, tmp_path)
    model = load_model("max_former_digits", result.checkpoint)
    assert not model.training
    score = accuracy(model, open_data("blobs", "test", steps=2))
    assert score == result.accuracy >= 0.9
    assert result.test_samples == 24


def test_global_settings_are_put_back(tiny_recipe: Recipe, tmp_path: Path) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    fit(tiny_recipe, tmp_path)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


def test_run_is_not_overwritten_by_accident(tiny_recipe: Recipe, tmp_path: Path) -> None:
    fit(tiny_recipe, tmp_path)
    with pytest.raises(UsageError, match="already holds a training run"):
        fit(tiny_recipe, tmp_path)
    with pytest.raises(UsageError, match="another recipe"):
        fit(tiny_recipe.model_copy(update={"epochs": 5}), tmp_path, resume=True)


def test_resuming_nothing_is_told(tiny_recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="training state does not exist"):
        fit(tiny_recipe, tmp_path, resume=True)


@pytest.mark.parametrize(("edition", "halves"), [(1, True), (2, False)])
def test_edition_of_the_recipe_decides_how_neurons_charge(
    tiny_recipe: Recipe,
    edition: int,
    halves: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[nn.Module] = []
    monkeypatch.setattr(learning, "halve_sums", seen.append)
    fit(tiny_recipe.model_copy(update={"edition": edition, "epochs": 1}), tmp_path)
    assert bool(seen) == halves


STF = {"variant": "arch_4", "steps": 2}


@pytest.mark.parametrize(
    ("model", "options", "learns", "stays"),
    [
        ("max_resnet_digits", {"blocks": (1, 1), "widths": (4, 8)}, "conv1.weight", None),
        # A weight of five axes.
        (
            "max_former_digits_stf",
            {"heads": 2, "mlp_ratio": 0.5, "stf": STF},
            "patch_embed1.stf.tspe.position",
            None,
        ),
        # Weights that never run, as the published network has them.
        (
            "spikformer_digits",
            {"dim": 16, "heads": 2, "depth": 1},
            "patch_embed.proj_conv.weight",
            "block.0.norm1.weight",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_family_learns_and_resumes(
    model: str,
    options: dict[str, object],
    learns: str,
    stays: str | None,
    tiny_recipe: Recipe,
    tmp_path: Path,
) -> None:
    options = {"image_size": (16, 16), "num_classes": 2, **options}
    recipe = tiny_recipe.model_copy(update={"edition": 2, "model": model, "options": options})
    straight = fit(recipe, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, tmp_path / "resumed", on_epoch=_interrupt)
    resumed = fit(recipe, tmp_path / "resumed", resume=True)
    assert _same(straight.checkpoint, resumed.checkpoint)
    torch.manual_seed(recipe.seed)
    fresh = create_model(model, **options)
    trained = load_model(model, straight.checkpoint)
    assert not torch.equal(trained.get_parameter(learns), fresh.get_parameter(learns))
    if stays is not None:
        assert torch.equal(trained.get_parameter(stays), fresh.get_parameter(stays))


def test_no_augmentation_changes_nothing() -> None:
    frames = torch.rand(3, 2, 2, 8, 8)
    generator = torch.Generator().manual_seed(0)
    torch.testing.assert_close(augment(frames, AugmentRecipe(), generator), frames)


def test_augmentation_treats_all_frames_of_a_recording_alike() -> None:
    frames = torch.rand(4, 1, 2, 16, 16).expand(4, 3, 2, 16, 16).contiguous()
    recipe = AugmentRecipe(shift=2, rotate=20, scale=0.2, shear=5, elastic=1)
    mapped = augment(frames, recipe, torch.Generator().manual_seed(0))
    assert torch.equal(mapped[:, 0], mapped[:, 2])
    assert not torch.allclose(mapped, frames, atol=0.05)
    # Nothing between pixels is made up.
    assert set(mapped.unique().tolist()) <= {0.0, *frames.unique().tolist()}


def test_shift_is_in_pixels() -> None:
    frames = torch.zeros(200, 1, 1, 17, 17)
    frames[..., 8, 8] = 1
    mapped = augment(frames, AugmentRecipe(shift=3), torch.Generator().manual_seed(0))
    reached = mapped.sum(0)[0, 0].nonzero()
    assert reached.min() == 5 and reached.max() == 11


def test_elastic_displacement_is_in_pixels_and_smooth() -> None:
    columns = torch.arange(1.0, 33).expand(64, 1, 1, 32, 32).contiguous()
    mapped = augment(columns, AugmentRecipe(elastic=1), torch.Generator().manual_seed(0))
    inner = (slice(None), 0, 0, slice(6, 26), slice(6, 26))
    moved = mapped[inner] - columns[inner]
    # Bicubic interpolation between points of standard deviation 1 leaves a little less.
    assert 0.6 < float(moved.std()) < 1.1
    assert float(moved.diff(dim=1).abs().max()) <= 2
