"""What pydantic refuses is told in Spikeport's form."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spikeport.core.checking import checked_options, checked_settings, problems
from spikeport.core.errors import UnknownNameError, UsageError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shift: float = Field(default=0.0, ge=0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    epochs: int = 1
    inner: Inner | None = None

    @model_validator(mode="after")
    def _fits(self) -> Outer:
        if self.epochs == 13:
            raise ValueError("13 epochs are too many")
        return self


def test_what_fits_is_the_model() -> None:
    values = {"epochs": 2, "inner": {"shift": 1}}
    assert checked_settings(Outer, values, "f.yaml") == Outer(epochs=2, inner=Inner(shift=1))
    assert checked_options(Inner, {"shift": 2}, "option") == Inner(shift=2)


def test_an_unknown_setting_tells_those_that_are_near() -> None:
    with pytest.raises(UnknownNameError, match=r"'epoch': no setting has this name.*epochs"):
        checked_settings(Outer, {"epoch": 2}, "f.yaml")


def test_an_unknown_setting_of_a_table_is_looked_for_there() -> None:
    with pytest.raises(UnknownNameError, match="no recipe setting") as told:
        checked_settings(Outer, {"inner": {"shitf": 1}}, "f.yaml", "recipe setting")
    assert (told.value.name, told.value.near) == ("shitf", ["shift"])


@pytest.mark.parametrize(
    ("values", "where", "why"),
    [
        ({"inner": {"shift": -1}}, "f.yaml, setting inner.shift", "greater than or equal to 0."),
        ({"epochs": 13}, "f.yaml", "13 epochs are too many."),
    ],
)
def test_a_value_that_cannot_be(values: dict[str, Any], where: str, why: str) -> None:
    with pytest.raises(UsageError) as told:
        checked_settings(Outer, values, "f.yaml")
    assert told.value.where == where
    assert told.value.why.endswith(why)
    assert not told.value.why.startswith("Value error")


def test_an_option_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="Options: epochs, inner") as told:
        checked_options(Outer, {"depth": 2}, "model option")
    assert told.value.where == "model option depth"


def test_the_problems_of_a_file() -> None:
    with pytest.raises(ValidationError) as found:
        Outer.model_validate({"epochs": "many", "inner": {"shift": -1}})
    assert problems(found.value).startswith("epochs: Input should be a valid integer")
    assert problems(found.value, most=None).count(": Input should be") == 2
    with pytest.raises(ValidationError) as found:
        Outer.model_validate({"epochs": 13})
    assert problems(found.value, whole="file").startswith("file: ")
