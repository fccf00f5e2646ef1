"""Networks at their published width: the integer executor and Lava's process models agree."""

from __future__ import annotations

from typing import Any

import pytest
from published import FIRES, measure

MODELS = ["max_former_event", "ms_qkformer_event"]


def assert_equal_and_awake(result: Any, least: int) -> None:
    result.parity.prove()
    assert result.parity.compared > least
    assert result.parity.output_difference == 0.0
    assert all(FIRES[0] <= rate <= FIRES[1] for rate in result.rates.values()), result.rates


@pytest.mark.parametrize("name", MODELS)
def test_small(name: str) -> None:
    result = measure(name, samples=2, steps=4, image_size=(32, 32), dim=32, heads=4)
    assert_equal_and_awake(result, 40_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_published(name: str) -> None:
    assert_equal_and_awake(measure(name, samples=2, steps=4), 2_000_000)
