"""Registries: by decorator, and by the entry points of other packages."""

import sys
from pathlib import Path

import pytest

from spikeport.core.errors import ExtensionError, UnknownNameError
from spikeport.core.registry import Registry

GROUP = "spikeport.test_things"


def install(folder: Path, package: str, points: dict[str, str], code: str) -> None:
    """A package as an installer leaves it."""
    (folder / f"{package}.py").write_text(code)
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{name} = {package}:{value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def registry() -> Registry[int]:
    things: Registry[int] = Registry("thing", GROUP, lambda name, entry: isinstance(entry, int))
    things.add("one", 1)
    return things


def test_a_name_is_registered_once() -> None:
    things = registry()
    with pytest.raises(ValueError, match="thing 'one' is registered twice"):
        things.register("one")(2)


def test_packages_add_entries(site: Path) -> None:
    install(site, "pack_a", {"two": "TWO"}, "TWO = 2\n")
    things = registry()
    assert things["two"] == 2
    assert list(things) == ["one", "two"]
    assert things.origins == {"two": "pack_a"}
    assert not things.failures


def test_packages_are_not_imported_for_what_is_built_in(site: Path) -> None:
    install(site, "pack_b", {"two": "TWO"}, "raise SystemError\n")
    assert registry()["one"] == 1
    assert "pack_b" not in sys.modules


@pytest.mark.parametrize(
    ("code", "value", "why"),
    [
        ("1 / 0\n", "TWO", "ZeroDivisionError"),
        ("", "TWO", "AttributeError"),
        ("TWO = 'text'\n", "TWO", "is no thing of this name"),
    ],
)
def test_a_package_that_fails_takes_nothing_with_it(
    site: Path, code: str, value: str, why: str
) -> None:
    install(site, "pack_c", {"two": value}, code)
    install(site, "pack_d", {"three": "THREE"}, "THREE = 3\n")
    things = registry()
    assert dict(things) == {"one": 1, "three": 3}
    assert why in things.failures["two"] and "pack_c" in things.failures["two"]
    with pytest.raises(ExtensionError, match="pack_c"):
        things["two"]
    with pytest.raises(UnknownNameError):
        things["four"]


def test_what_is_built_in_cannot_be_replaced(site: Path) -> None:
    install(site, "pack_e", {"one": "ONE"}, "ONE = 100\n")
    things = registry()
    assert dict(things) == {"one": 1}
    assert "registered twice" in things.failures["one"]


def test_an_entry_registered_by_its_own_decorator_is_taken_once(site: Path) -> None:
    things = registry()
    sys.modules["things_for_pack_f"] = type(sys)("things_for_pack_f")
    sys.modules["things_for_pack_f"].things = things  # type: ignore[attr-defined]
    code = "from things_for_pack_f import things\nTWO = things.add('two', 2)\n"
    install(site, "pack_f", {"two": "TWO"}, code)
    assert dict(things) == {"one": 1, "two": 2}
    assert not things.failures
    del sys.modules["things_for_pack_f"]
