"""The pictures of the report that the docs show: `python -m tests.browser.pictures STORE` writes them anew."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from reports import build
from tests.paths import ROOT

SIZE = {"width": 1180, "height": 1040}


def write(store: Path) -> None:
    """The first screen of the report of a store, as `docs/report.png`."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = build(store, Path(folder) / "report")
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.as_uri())
        tab.screenshot(path=ROOT / "docs" / "report.png")
        browser.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
