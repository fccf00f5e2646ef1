"""The page: one file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spikeport.core.errors import UsageError
from spikeport.core.files import write_text
from spikeport.core.versions import installed_versions
from spikeport.report.assets import Assets
from spikeport.report.gather import Subject, gather
from spikeport.report.sections import SECTIONS, overview

LARGEST = 5 * 10**6
"""Bytes of a page: it is mailed and attached."""
_PACKAGES = ("spikeport", "altair", "vl-convert-python")
_SCRIPTS = ("tables.js", "charts.js", "network.js")
_HERE = "spikeport.report"


def write_report(
    places: Iterable[str | os.PathLike[str]], path: str | os.PathLike[str]
) -> list[Subject]:
    """Build the page of one network or several from what commands wrote, atomically.

    Args:
        places: see `gather`.
        path: the HTML file.

    Returns:
        The networks on it.

    Raises:
        UsageError: see `gather`; or the page would be larger than 5 MB.
        FileError: see `gather`; or the page cannot be written.
    """
    subjects = gather(places)
    page = render(subjects)
    size = len(page.encode())
    if size > LARGEST:
        raise UsageError(
            f"the page would have {size:,} bytes, more than {LARGEST:,}.",
            where=str(path),
            fix="Put fewer networks on a page.",
        )
    write_text(path, page)
    return subjects


def render(subjects: list[Subject]) -> str:
    """The page as text; the same results give the same text."""
    assets = Assets()
    together = overview.build(subjects, assets)
    built: list[list[dict[str, Any] | None]] = [[] for _ in SECTIONS]
    for number, subject in enumerate(subjects):
        assets.subject = number
        for section, contents in zip(SECTIONS, built, strict=True):
            contents.append(section.build(subject, assets))
    shown = [
        (section, contents)
        for section, contents in zip(SECTIONS, built, strict=True)
        if any(contents) or not section.optional
    ]
    scripts = [library(), own_script()]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            subjects=subjects,
            overview=together,
            sections=shown,
            models=_models(assets),
            assets=assets,
            style=Markup(_text("page.css")),
            scripts=[Markup(script) for script in scripts],
            hashes=[_hash(script) for script in scripts],
            versions=installed_versions(_PACKAGES),
        )
    )


@cache
def library() -> str:
    """Vega, Vega-Lite and vega-embed as one script (BSD licences), from vl-convert."""
    return _inline(vl_convert.javascript_bundle())  # type: ignore[call-arg] # its stub is wrong


def own_script() -> str:
    """The page's own script."""
    return _inline("\n".join(_text(name) for name in _SCRIPTS))


def _inline(script: str) -> str:
    """Without what would end the element that holds it."""
    return script.replace("</script", "<\\/script").replace("<!--", "\\u003c!--")


def _hash(script: str) -> str:
    """As a content security policy names a script: nothing else on the page may run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _models(assets: Assets) -> list[dict[str, str]]:
    """Energy models that every network with an energy report has prices of."""
    told = [value["told"] for name, value in assets.data.items() if name.startswith("energy-")]
    first = told[0] if told else {}
    return [each for name, each in first.items() if all(name in other for other in told)]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_HERE, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The order of energy models and nodes is meant.
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": False,
        "separators": (",", ":"),
        "allow_nan": False,
    }
    return environment


def _text(name: str) -> str:
    return (resources.files(_HERE) / "templates" / name).read_text(encoding="utf-8")
