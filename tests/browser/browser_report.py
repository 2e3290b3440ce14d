"""What a reader does with the report, done by a browser."""

import io
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from tests.browser.names import HOSTILE, Open


def column(table: Locator, name: str) -> list[str]:
    """The texts of a column, from the top."""
    names = [text.strip() for text in table.locator("thead tr").last.locator("th").all_inner_texts()]
    at = [name.rstrip(" ▲▼") for name in names].index(name)
    return [text.strip() for text in table.locator(f"tbody tr > :nth-child({at + 1})").all_inner_texts()]


def leaderboard(page: Page) -> Locator:
    return page.locator("table.by-method").first


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(opened: Open, width: int) -> None:
    page = opened(width)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_screen_has_the_answer_and_the_first_figure(opened: Open) -> None:
    page = opened(1280)
    expect(page.locator(".answer .said").first).to_be_in_viewport()
    expect(page.locator("header figure").first).to_be_in_viewport()


def test_a_click_on_a_heading_sorts_and_a_third_one_restores(opened: Open) -> None:
    table = leaderboard(opened())
    before = column(table, "method")
    heading = table.get_by_role("button", name="weighted F1")
    for order in ("descending", "ascending"):
        heading.click()
        expect(table.locator(f'th[aria-sort="{order}"]')).to_have_count(1)
        numbers = [float(text.split()[0]) for text in column(table, "weighted F1")]
        assert numbers == sorted(numbers, reverse=order == "descending")
    heading.click()
    assert column(table, "method") == before
    expect(table.locator("th[aria-sort]")).to_have_count(0)


def test_a_method_that_is_unticked_is_in_no_table_and_no_figure(opened: Open) -> None:
    page = opened()
    drawn = page.locator('[data-method="adam"]')
    assert drawn.count() > 5
    page.get_by_label("adam", exact=True).uncheck()
    hidden = "(elements) => elements.every((each) => getComputedStyle(each).display === 'none')"
    assert drawn.evaluate_all(hidden)
    rows = page.locator("table.by-method tbody tr, table.by-pair tbody tr")
    about = rows.filter(has=page.locator("th:first-child", has_text="adam"))
    assert about.count() > 5
    assert not [row for row in about.all() if row.is_visible()]
    assert page.locator('[data-method="css"]').first.is_visible()
    page.get_by_label("adam", exact=True).check()
    assert about.first.is_visible()


def test_tables_are_copied_as_they_are_shown(opened: Open) -> None:
    page = opened()
    page.get_by_label("adam", exact=True).uncheck()
    tools = leaderboard(page).locator("xpath=ancestor::div[contains(@class, 'scroll')]/following-sibling::div[1]")
    tools.get_by_role("button", name="Copy as CSV").click()
    expect(tools.get_by_role("status")).to_have_text("copied")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].startswith("method,weighted F1,difference")
    assert not any(line.startswith("adam") for line in lines)
    assert any(line.startswith("css,") for line in lines)
    tools.get_by_role("button", name="Copy as LaTeX").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('\\\\begin{tabular}'))")
    assert "\\bottomrule" in page.evaluate("navigator.clipboard.readText()")


def test_a_run_opens_with_its_curves_its_confusion_and_the_command_that_makes_it_again(opened: Open) -> None:
    page = opened()
    table = page.locator('table:has(tr[id^="run-"])')
    table.locator("xpath=ancestor::details").locator("summary").click()
    page.get_by_label("Runs with all of these words").fill("css meld")
    shown = [row for row in table.locator('tr[id^="run-"]').all() if row.is_visible()]
    assert len(shown) == 8
    shown[0].get_by_role("button").click()
    opened_row = table.locator("tr.opened")
    assert opened_row.locator("figure.curve").count() == 3
    expect(opened_row.locator("caption")).to_contain_text("Confusion of css on meld")
    expect(opened_row.locator("code")).to_contain_text("cssbench verify ")
    assert HOSTILE in opened_row.inner_text()
    shown[0].get_by_role("button").click()
    expect(opened_row).to_have_count(0)


def test_the_confusion_of_any_method_is_a_choice_away(opened: Open) -> None:
    page = opened()
    page.get_by_label("Confusion matrix of").select_option("adam on meld")
    caption = page.locator("#per-class").locator("xpath=..").locator("caption", has_text="Confusion of")
    expect(caption).to_have_text("Confusion of adam on meld, counts over 8 seeds")


def test_every_link_within_the_page_leads_somewhere_and_opens_what_is_closed(opened: Open) -> None:
    page = opened()
    targets = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href').slice(1))"
    )
    assert len(targets) > 20
    missing = [target for target in targets if page.locator(f'[id="{target}"]').count() != 1]
    assert missing == []
    claim = page.locator('a[href^="#claim-"]').first
    target = page.locator(f'[id="{(claim.get_attribute("href") or "")[1:]}"]')
    assert not target.is_visible()
    claim.click()
    expect(target).to_be_in_viewport()


def test_the_files_that_the_page_links_to_are_beside_it(opened: Open, report: Path) -> None:
    page = opened()
    links = set(
        page.evaluate("[...document.querySelectorAll('a:not([href^=\"#\"])')].map((a) => a.getAttribute('href'))")
    )
    assert len(links) > 20
    assert [link for link in links if not (report.parent / link).is_file()] == []


def test_the_keyboard_reaches_the_chapters_first_and_then_everything(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    heading = leaderboard(page).get_by_role("button", name="rank", exact=True)
    heading.focus()
    page.keyboard.press("Enter")
    expect(leaderboard(page).locator('th[aria-sort="descending"]')).to_have_text("rank")


def test_no_name_becomes_anything_but_text(opened: Open) -> None:
    page = opened()
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator("main").inner_text()
    assert page.get_by_label(HOSTILE, exact=True).count() == 1  # among the methods shown


def test_without_a_script_all_is_legible(opened: Open) -> None:
    page = opened(script=False)
    text = page.locator("body").inner_text()
    for chapter in ("Leaderboard", "Per class", "Calibration", "Every run"):
        assert chapter in text
    assert page.locator("button").count() == 0
    assert page.locator("details > summary").first.is_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(opened: Open, dark: bool) -> None:
    page = opened(dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.locator('tr[id^="run-"] button').first.click()
    found = Axe().run(page).response["violations"]
    said = [(v["id"], v["impact"], [n["html"][:200] for n in v["nodes"][:2]]) for v in found]
    assert said == []


def test_the_scheme_of_the_reader_is_kept(opened: Open) -> None:
    papers = [opened(dark=dark).evaluate("getComputedStyle(document.body).backgroundColor") for dark in (False, True)]
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]


def test_print_has_numbered_pages_and_none_that_is_empty(opened: Open) -> None:
    pdf = PdfReader(io.BytesIO(opened().pdf(format="A4", prefer_css_page_size=True)))
    texts = [sheet.extract_text() for sheet in pdf.pages]
    assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1))
    assert min(len(text) for text in texts) > 40
