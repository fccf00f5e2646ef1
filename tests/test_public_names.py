"""The names that the packages offer."""

import importlib
from types import ModuleType

import pytest


@pytest.mark.parametrize("package", ["spikeport", "spikeport.convert", "spikeport.estimate"])
def test_every_public_name_is_there_and_stays_what_it_is(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        first = getattr(module, name)
        # A name that is also a submodule would turn into it once that is imported.
        assert not isinstance(first, ModuleType), name
        assert getattr(module, name) is first, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    import spikeport

    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = spikeport.nothing_like_it
