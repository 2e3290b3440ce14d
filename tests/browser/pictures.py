"""The pictures of the report that the docs show: `python -m tests.browser.pictures STORE` writes them anew."""

import sys
import tempfile
from pathlib import Path

from reports import build
from tests.browser.chromium import chromium
from tests.paths import ROOT

SIZE = {"width": 1180, "height": 1040}


def write(store: Path) -> None:
    """The first screen of the report of a store as `docs/report.png`, and its leaderboard as `docs/leaderboard.png`."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = build(store, Path(folder) / "report")
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.as_uri())
        tab.screenshot(path=ROOT / "docs" / "report.png")
        tab.goto(f"{page.as_uri()}#leaderboard")
        tab.screenshot(path=ROOT / "docs" / "leaderboard.png")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
