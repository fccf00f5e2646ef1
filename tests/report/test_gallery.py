"""Pictures of the page of every shipped model of event digits, for the documentation.

pytest -m slow tests/report/test_gallery.py --gallery docs/gallery
"""

from __future__ import annotations

from pathlib import Path

import browser as chromium
import numpy as np
import pytest
from PIL import Image
from report_results import WEIGHTS, Results, make

from spikeport.report import write_report

NAMES = ("max_former_digits", "ms_qkformer_digits", "max_resnet_digits", "spikformer_digits")
SHIPPED = [name for name in NAMES if (WEIGHTS / f"{name}.safetensors").is_file()]
SAMPLES = 100


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(bool(chromium.MISSING), reason=chromium.MISSING)
def test_the_page_of_all_shipped_models_is_photographed(tmp_path: Path, gallery: Path) -> None:
    gallery.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        make(Results(tmp_path / name), name, SAMPLES)
    page = tmp_path / "report.html"
    found = write_report([tmp_path / name for name in SHIPPED], page)
    assert [each.name for each in found] == SHIPPED
    write_report([tmp_path / SHIPPED[0]], tmp_path / "one.html")
    with chromium.opened(tmp_path / "profile", tmp_path) as browser:
        chromium.resize(browser, 1280, 900)
        chromium.show(browser, page)
        chromium.photograph(browser, gallery / "models.png")
        chromium.emulate(browser, prefers_color_scheme="dark")
        chromium.photograph(browser, gallery / "models-dark.png")
        chromium.emulate(browser)
        chromium.photograph(browser, gallery / "energy.png", "#energy")
        chromium.show(browser, tmp_path / "one.html")
        chromium.photograph(browser, gallery / "one.png")
        for part in ("network", "parity", "break-even"):
            chromium.photograph(browser, gallery / f"{part}.png", f"#{part}", most=1100)
        chromium.resize(browser, 400, 800)
        chromium.photograph(browser, gallery / "phone.png")
        assert not [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    names = ["break-even", "energy", "models", "models-dark", "network", "one", "parity", "phone"]
    for name in names:
        with Image.open(gallery / f"{name}.png") as picture:
            colours = len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0))
        # An empty page has two or three.
        assert colours > 50, name
