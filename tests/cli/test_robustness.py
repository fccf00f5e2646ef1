"""Robustness and spike patterns from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tiny_images import MEAN, STD, pictures

from spikeport.core.errors import FileError, UsageError
from spikeport.estimate import accuracy
from spikeport.robustness import Disturbed, levels_of
from spikeport.runs import RunChoice, open_run, spread
from spikeport.targets import TARGETS
from spikeport.train.data.images import open_pixels, pixel_shape

DIGITS = ("robustness", "max_former_digits", "--samples", 30)


@pytest.fixture
def images(tmp_path: Path) -> str:
    pixels, labels = pictures("test")
    np.savez(tmp_path / "digits.npz", images=pixels, labels=labels)
    return "images:digits.npz"


SCALE = ("--mean", MEAN, "--std", STD)


@pytest.mark.parametrize("framing", ["count", "time"])
def test_the_clean_level_is_the_plain_evaluation_to_the_last_frame(framing: str) -> None:
    opened = open_run(RunChoice("max_former_digits", samples=30, framing=framing))
    disturbed = Disturbed(opened.data, spread(len(opened.data), 30), framing, batch=7)
    levels = levels_of([("drop", [0]), ("resolution", [1]), ("hot-pixels", [0])])
    plain = list(opened.batches("plain"))
    for level in levels:
        parts = list(disturbed.at(level))
        frames, labels = (
            torch.cat([part[0] for part in parts], 1),
            torch.cat([p[1] for p in parts]),
        )
        assert torch.equal(frames, torch.cat([part[0] for part in plain], 1))
        assert torch.equal(labels, torch.cat([part[1] for part in plain]))
    executor = TARGETS["reference"].executor(opened.graph, opened.calibration)
    assert accuracy(executor, disturbed.at(levels[0])).predictions == (
        accuracy(executor, plain).predictions
    )
    # Batches make no difference to what is disturbed.
    (noise,) = levels_of([("noise", [5])])
    small = torch.cat([part[0] for part in disturbed.at(noise)], 1)
    large = Disturbed(opened.data, spread(len(opened.data), 30), framing, batch=30)
    assert torch.equal(small, torch.cat([part[0] for part in large.at(noise)], 1))


def test_events_and_time_are_disturbed_and_written(cli, tmp_path: Path) -> None:
    done = cli(
        *(*DIGITS, "--sweep", "drop=0,0.5", "--sweep", "hot-pixels=2", "--hot-rate", 500),
        *("--temporal", 2, "-o", "out"),
    )
    assert done.code == 0, done.err
    assert "simulated events" in done.out
    assert "measure of Spikeport's own" in " ".join(done.out.split())
    table = pd.read_csv(tmp_path / "out" / "robustness.csv").set_index("name")
    clean, dropped = table.loc["clean"].iloc[0], table.loc["drop"]
    assert dropped["correct"].iloc[0] == clean["correct"]
    assert dropped["events"].iloc[0] == clean["events"]
    assert dropped["events"].iloc[1] == pytest.approx(clean["events"] / 2, abs=1)
    # Two pixels, 500 per second, some 300 ms.
    assert table.loc["hot-pixels", "events"] - clean["events"] == pytest.approx(300, rel=0.1)
    told = json.loads((tmp_path / "out" / "robustness.json").read_text())
    assert [section["measure"] for section in told["sections"]] == ["events", "time"]
    assert (told["samples"], told["hot_rate"]) == (30, 500)
    assert len(table) == sum(len(section["rows"]) for section in told["sections"]) == 8
    assert (tmp_path / "out" / "robustness.svg").read_text().count("<svg") == 1
    assert table["provenance"].str.startswith("simulated events").all()


def test_images_are_attacked_in_both_spaces(cli, images: str) -> None:
    done = cli(
        *("robustness", "tiny_images:trained", "--data", images, *SCALE, "--samples", 60),
        *("--attack", "fgsm,pgd", "--eps", "0.05,0.1", "--iterations", "1,3", "--json"),
    )
    assert done.code == 0, done.err
    (section,) = done.json["sections"]
    rows = {(r["name"], r["variant"], r["level"]): r for r in section["rows"]}
    clean = rows["clean", "", 0.0]
    assert clean["accuracy"] > 0.8
    assert rows["no attack", "pixels", 0.0]["correct"] == clean["correct"]
    assert rows["fgsm", "pixels", 0.1]["correct"] < rows["fgsm", "pixels", 0.05]["correct"]
    assert rows["fgsm", "pixels", 0.05]["correct"] < clean["correct"]
    assert rows["pgd", "pixels", 3.0]["difference"] < 0
    assert len(rows) == len(section["rows"]) == 1 + 2 * (1 + 2 + 2)
    fgsm, _, published, _ = section["means"]
    pair = (rows["fgsm", "pixels", 0.05]["accuracy"], rows["fgsm", "pixels", 0.1]["accuracy"])
    assert fgsm["accuracy"] == pytest.approx(sum(pair) / 2)
    assert published["of"].startswith("fgsm, normalised-clamp")


def test_direct_coding_reaches_few_patterns(cli, images: str, tmp_path: Path) -> None:
    done = cli("patterns", "tiny_images:trained", "--data", images, *SCALE, "-o", "words.csv")
    assert done.code == 0, done.err
    table = pd.read_csv(tmp_path / "words.csv", comment="#", dtype={"pattern": str})
    # The same image at each of 3 steps, and a hard reset: 4 of 8 words.
    assert set(table["pattern"]) == {"000", "001", "010", "111"}
    assert table["count"].sum() == 360 * 6 * 4 * 4
    assert "4 of 8 patterns" in done.out


def test_patterns_of_events(cli) -> None:
    done = cli("patterns", "max_former_digits", "--samples", 20, "--json")
    assert done.code == 0, done.err
    assert done.json["layer"] == "patch_embed1.max_embed1.embed_lif"
    assert done.json["words"] == 20 * 4 * 32 * 32 == sum(done.json["counts"].values())
    assert done.json["used"] == len(done.json["counts"]) > 5
    assert 0 < done.json["entropy"] < 1


def test_frames_are_attacked_as_real_input_within_a_box(cli) -> None:
    options = ("--attack", "fgsm", "--eps", "0.1", "--samples", 20)
    done = cli("robustness", "max_former_digits", *options, "--box", 60, "--json")
    assert done.code == 0, done.err
    clean, untouched, attacked = done.json["sections"][0]["rows"]
    assert untouched["correct"] == clean["correct"] > attacked["correct"]
    assert done.json["box"] == 60
    done = cli("robustness", "max_former_digits", *options, "--box", 1)
    assert done.code == 2
    assert "more than 1" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing to disturb"),
        (("--sweep", "drop"), "names no levels"),
        (("--sweep", "drop=0.1", "--sweep", "drop=0.2"), "comes twice"),
        (("--sweep", "drop=much"), "no list of numbers"),
        (("--sweep", "dorp=0.1"), "Did you mean drop"),
        (("--sweep", "drop=2"), "0 to 1"),
        (("--attack", "fgsm"), "what no camera gives"),
        (("--attack", "fgms", "--box", 9), "Did you mean fgsm"),
        (("--attack", "pgd", "--eps", "0.1", "--box", 9), "Add --attack fgsm"),
        (("--attack", "fgsm", "--box", 0), "are no range"),
        (("--sweep", "drop=0.1", "--box", 9), "only attacks have a box"),
        (("--sweep", "drop=0.1", "--layer", "head_lif"), "Add --temporal 8"),
        (("--temporal", 2, "--mean", "0.1"), "Give both"),
        (("--temporal", 2, "--mean", "0.1", "--std", "0.2"), "not normalised"),
        (("--attack", "fgsm", "--data", "images:x.npz"), "frames of events, no images"),
        (("--sweep", "drop=0.1", "--data", "images:x.npz"), "hold no events"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(cli, words, message: str) -> None:
    done = cli("robustness", "max_former_digits", *words)
    assert done.code == 2
    assert message in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tiny_images:trained",), "are not known"),
        (("max_former_cifar",), "no trained weights"),
        (("tiny_images:trained", *SCALE, "--samples", 400), "there are 360"),
        (("tiny_images:trained", "--mean", "0.1,0.2", "--std", "1,1"), "2 means for 1 channels"),
        (("x.spg", *SCALE), "no surrogate gradients"),
    ],
)
def test_images_that_do_not_fit_are_refused(cli, images: str, words, message: str) -> None:
    done = cli("robustness", *words, "--data", images, "--attack", "fgsm")
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_a_network_whose_time_loop_is_outside_cannot_be_attacked(cli, images: str) -> None:
    attack = ("--attack", "fgsm", "--eps", "0.1", "--samples", 4)
    for words, message in (
        (("tiny_images:one_step", "--box", 60), "the model is one time step"),
        (
            ("tiny_images:one_step_of_images", "--data", images, *SCALE),
            "the time loop is outside the model",
        ),
    ):
        done = cli("robustness", *words, *attack)
        assert done.code == 2
        assert message in " ".join(done.err.split())


def test_images_keep_their_colours_and_the_numbers_of_their_classes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels, labels=[7, 2, 7])
    found = open_pixels(tmp_path / "a.npz", 3)
    assert np.array_equal(found.pixels, pixels.transpose(0, 3, 1, 2))
    assert found.labels.tolist() == [7, 2, 7] and found.classes == ()
    assert pixel_shape(tmp_path / "a.npz") == (3, 4, 6)
    with pytest.raises(FileError, match="the network reads 1 channels"):
        open_pixels(tmp_path / "a.npz", 1)
    for name, picture in zip(("cat", "dog", "cat"), pixels, strict=True):
        folder = tmp_path / "b" / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{len(list(folder.iterdir()))}.png")
    found = open_pixels(tmp_path / "b", 3)
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [0, 0, 1])
    assert np.array_equal(found.pixels[1], pixels[2].transpose(2, 0, 1))
    assert open_pixels(tmp_path / "b", 1).pixels.shape == (3, 1, 4, 6)
    np.savez(tmp_path / "c.npz", images=pixels / 255, labels=[7, 2, 7])
    with pytest.raises(FileError, match="float64"):
        open_pixels(tmp_path / "c.npz", 3)


def test_names_of_classes_need_all_of_them(cli, tmp_path: Path) -> None:
    pixels, labels = pictures("test")
    few = labels < 3
    np.savez(tmp_path / "few.npz", images=pixels[few], labels=[f"c{n}" for n in labels[few]])
    options = ("--data", "images:few.npz", *SCALE)
    done = cli("patterns", "tiny_images:trained", *options)
    assert done.code == 2
    assert "3 named classes, the network 10" in done.err


def test_disturbing_needs_recordings() -> None:
    opened = open_run(RunChoice("max_former_digits", samples=2))
    with pytest.raises(UsageError, match="without recordings"):
        Disturbed(replace(opened.data, events=None), [0])
    with pytest.raises(UsageError, match="cannot fire"):
        Disturbed(opened.data, [0], hot_rate=-1.0)
