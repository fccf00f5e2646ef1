"""Headless Chromium without a network, and what it says."""

from __future__ import annotations

import base64
import io
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "" if CHROMIUM and DRIVER else "chromium or chromedriver is missing (make system-deps)"
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--disable-dev-shm-usage"),
)
_SECONDS = 120
"""A loaded machine is slow; nothing here is timed."""


@contextmanager
def opened(profile: Path, downloads: Path, width: int = 1280, height: int = 900) -> Iterator[Any]:
    """A browser with a fresh profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option(
        "prefs",
        {"download.default_directory": str(downloads), "download.prompt_for_download": False},
    )
    # The path is given, so that selenium looks for no driver elsewhere.
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        browser.set_script_timeout(_SECONDS)
        yield browser
    finally:
        browser.quit()


def show(browser: Any, page: Path) -> float:
    """Open a page and wait until every chart is drawn; returns the seconds that took."""
    began = time.monotonic()
    browser.get(page.as_uri())
    until(lambda: browser.execute_script("return document.documentElement.dataset.ready"))
    return time.monotonic() - began


def until(holds: Any) -> Any:
    """Wait for something to become true."""
    ends = time.monotonic() + _SECONDS
    while not (found := holds()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)
    return found


def requested(browser: Any) -> list[str]:
    """Addresses that the page asked for so far."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def emulate(browser: Any, **features: str) -> None:
    """Media features such as prefers_color_scheme="dark"."""
    told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})


def photograph(browser: Any, path: Path, selector: str = "", *, most: int = 1500) -> None:
    """A picture of the page from its top, or of one part of it, at most `most` pixels high.

    It has 256 colours: for documentation, and small.
    """
    margin = 16 if selector else 0
    x, y, width, height = browser.execute_script(
        "const box = (arguments[0] ? document.querySelector(arguments[0]) : document.body)"
        ".getBoundingClientRect();"
        "return [box.x + scrollX, box.y + scrollY, box.width, box.height];",
        selector,
    )
    clip = {"x": x - margin, "y": y - margin, "width": width + 2 * margin, "scale": 1}
    clip["height"] = min(height, most) + 2 * margin
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def resize(browser: Any, width: int, height: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
