"""A browser, and a report whose names try to be something else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reports import build
from tests.browser.chromium import EXECUTABLE, chromium
from tests.browser.names import HOSTILE, Open
from tests.reports.synthetic_runs import CEILING, REFERENCES, edit, write_run


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of eight seeds of four methods on two data sets, one of them with a hostile name."""
    root = tmp_path_factory.mktemp("browser")
    for dataset in ("iemocap-sim", "meld"):
        for label, shift in (("css", 0.1), ("adam", 0.0), ("concat+pgm", 0.0), (HOSTILE, -0.1)):
            for seed in range(8):
                more = {"ceiling": CEILING, "references": REFERENCES} if dataset == "iemocap-sim" else {}
                folder = write_run(root / "store", dataset, label, seed, epochs=5, shift=shift, **more)
                edit(folder / "manifest.json", source=HOSTILE)
    lost = write_run(root / "store", "meld", "adam", 9)
    (lost / "result.json").unlink()
    (lost / "error.txt").write_text(f"Traceback\nValueError: {HOSTILE}\n", encoding="utf-8")
    return build(root / "store", root / "report")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert EXECUTABLE is not None, "no chromium on the PATH and none named by CHROMIUM"
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Open]:
    """`opened(width=…, dark=…, script=…)`: the page. A message, an error or a request of it fails the test."""
    heard: list[str] = []
    contexts = []

    def open_page(width: int = 1280, *, dark: bool = False, script: bool = True, page: str = "index.html") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: heard.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: heard.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda request: None if request.url.startswith("file:") else heard.append(request.url))
        tab.goto(report.with_name(page).as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []
