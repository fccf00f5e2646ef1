"""Settings in YAML: what no settings mean is refused, at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from spikeport.core.errors import FileError
from spikeport.core.yaml_files import parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\nb: 2\na: 3", "a is there twice"),
        ("a: {b: 1, b: 2}", "b is there twice"),
        ("a: &x [1]\nb: *x", "reference"),
        ("? [1, 2]\n: 3", "unhashable"),
        ("- 1", "no table"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(FileError, match=why):
        read_yaml(file, "recipe")


def test_a_key_that_cannot_be_one_is_no_yaml() -> None:
    with pytest.raises(yaml.YAMLError, match="unhashable"):
        parse_yaml("{[1]: 2}")


def test_many_keys_take_no_longer_than_they_are_long() -> None:
    def seconds(count: int) -> float:
        text = "{" + ",".join(f"{number}:0" for number in range(count)) + "}"
        began = time.process_time()
        assert len(parse_yaml(text)) == count
        return time.process_time() - began

    seconds(100)
    # Five times the keys; compared with each other they would take 25 times as long.
    assert seconds(10_000) < 12 * seconds(2_000)
