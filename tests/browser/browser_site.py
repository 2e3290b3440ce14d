"""The site that `nox -s docs` builds, opened from disk: it searches, asks nothing of the network, and fits a phone."""

import pytest
from playwright.sync_api import Browser

from tests.paths import ROOT

SITE = ROOT / ".nox" / "docs-site"
PAGES = ("index", "start", "command-line", "api", "components/aggregator-famo", "calibration", "example-report")

pytestmark = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no site: nox -s docs builds it")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_and_asks_nothing_of_the_network(browser: Browser, page: str, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((SITE / f"{page}.html").as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_the_search_works_from_disk(browser: Browser) -> None:
    tab = browser.new_page()
    tab.goto((SITE / "search.html").as_uri() + "?q=preregistration")
    tab.wait_for_selector("#search-results li a")
    assert "Preregistration" in tab.inner_text("#search-results")
    tab.close()
