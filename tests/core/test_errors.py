import pickle

import pytest

from spikeport.core.errors import CheckFailed, FileError, UnknownNameError, UsageError
from spikeport.core.registry import Registry


def test_an_error_reads_where_why_what_to_do() -> None:
    error = UsageError("it is too short.", where="--input", fix="Give four sizes.")
    assert str(error) == "--input: it is too short. Give four sizes."


def test_an_unknown_name_tells_the_near_matches() -> None:
    error = UnknownNameError("model", "max_former_digit", ["max_former_digits", "spikformer"])
    assert error.near == ["max_former_digits"]
    assert "Did you mean max_former_digits?" in str(error)


def test_an_unknown_name_without_near_matches_tells_all() -> None:
    assert "Known: a, b." in str(UnknownNameError("model", "zzzzzz", ["b", "a"]))


@pytest.mark.parametrize(
    "error",
    [
        FileError("damaged.", where="x.spg", fix="Trace again."),
        UnknownNameError("model", "maxformer", ["max_former"]),
    ],
)
def test_errors_cross_process_borders(error: Exception) -> None:
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_exit_codes_tell_a_failed_check_from_wrong_use() -> None:
    assert (CheckFailed.exit_code, UsageError.exit_code) == (1, 2)


def test_a_registry_refuses_duplicates_and_names_near_matches() -> None:
    registry: Registry[int] = Registry("number")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="registered twice"):
        registry.add("one", 2)
    with pytest.raises(UnknownNameError, match="Did you mean one"):
        registry["onee"]
    assert dict(registry) == {"one": 1}
