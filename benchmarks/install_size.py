"""What setting Spikeport up downloads, and what it takes on the disk; as JSON.

    python benchmarks/install_size.py

Downloads: the sizes that `uv.lock` states for the wheels that fit this machine, of all packages
that are installed in its version. Disk: all files of the environment that runs this.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

LOCK = Path(__file__).parents[1] / "uv.lock"


def download(package: dict[str, Any], rank: dict[Any, int]) -> int:
    """Bytes of the wheel that suits this machine best, or of the source."""
    fitting = []
    for wheel in package.get("wheels", []):
        name = wheel["url"].rsplit("/", 1)[1].replace("%2B", "+")
        ranks = [rank[tag] for tag in parse_wheel_filename(name)[3] if tag in rank]
        if ranks:
            fitting.append((min(ranks), int(wheel["size"])))
    return min(fitting)[1] if fitting else int(package.get("sdist", {}).get("size", 0))


def main() -> None:
    rank = {tag: place for place, tag in enumerate(sys_tags())}
    installed = {
        re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version
        for each in distributions()
    }
    locked = tomllib.loads(LOCK.read_text(encoding="utf-8"))["package"]
    wanted = [each for each in locked if installed.get(each["name"]) == each["version"]]
    files = (path for path in Path(sys.prefix).rglob("*") if path.is_file())
    result = {
        "packages": len(wanted),
        "download_gb": round(sum(download(each, rank) for each in wanted) / 1e9, 2),
        "disk_gb": round(sum(path.lstat().st_size for path in files) / 1e9, 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
