"""The instrument check on the pages: what it says, where, and on which reports it is not."""

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from reports import ReportError, build
from reports.inference.instrument import check_instrument
from reports.statistics import Verdict
from reports.tables.instrument import instrument
from reports.tables.model import Table
from tests.reports.inference.preregistrations import BASE, SMALL, WIDE, inferred
from tests.reports.inference.simulated import NOTHING, PLANTED, corpus

pytestmark = pytest.mark.usefixtures("undrawn")

VERDICTS = (*(verdict.value for verdict in Verdict if verdict is not Verdict.TOO_FEW_SEEDS), "direction", "agree")


def table(store: Path) -> Table:
    made = instrument(check_instrument(*inferred(store)))
    assert made is not None
    return made


def sections(store: Path, out: Path) -> dict[str, str]:
    """The section of the check on both pages, as text, with what stands before and after it."""
    build(store, out)
    markdown = (out / "report.md").read_text(encoding="utf-8")
    before, _, after = markdown.partition("### Instrument check")
    page = (out / "index.html").read_text(encoding="utf-8")
    html = page[page.index('<section class="instrument">') :]
    return {
        "before": before,
        "md": after[: after.index("### The paper")],
        "html": html[: html.index("</section>")],
        "after": html[html.index("</section>") :],
    }


def test_a_planted_effect_is_told_beside_the_found_one(tmp_path: Path):
    made = table(corpus(tmp_path / "store", {"css": BASE + 0.05 + SMALL, "linear": BASE}))
    planted, fineness = made.sentences
    assert planted == (
        "meld-sim: knowing the product of the bits is worth 7.00 ± 0.25 points of weighted F1. Found: css − linear, "
        "+5.00 points, 95 % CI [4.89, 5.11], n = 10: supported (exploratory); in the direction that was planted. "
        "linear stays 5.30 points below its own ceiling of 68.00 %, so up to 12.30 could be found."
    )
    assert re.fullmatch(
        r"On meld-sim this harness can see differences of 0\.\d\d points or more with 10 seeds .*", fineness
    )
    assert fineness.endswith(" (sd of css − linear: 0.16).")
    (listing,) = made.listings
    (row,) = listing.rows
    assert row[:4] == ("meld-sim", "7.00 ± 0.25", "css − linear", "10")
    assert row[4:] == ("+5.00", "[4.89, 5.11]", "supported (exploratory)", "yes", "5.30")


@pytest.mark.parametrize(
    ("gain", "words", "cell"),
    [
        (-0.05 + SMALL, "contradicted (exploratory); against the direction that was planted.", "no, the opposite"),
        (SMALL, "shown equal (exploratory); no direction is shown.", "not shown"),
    ],
)
def test_a_found_effect_that_is_not_the_planted_one_is_said_to_be(tmp_path: Path, gain, words: str, cell: str):
    made = table(corpus(tmp_path / "store", {"css": BASE + gain, "linear": BASE}))
    assert words in made.sentences[0]
    assert made.listings[0].rows[0][7] == cell


def test_an_additive_method_above_its_ceiling_leaves_no_room(tmp_path: Path):
    made = table(corpus(tmp_path / "store", {"css": BASE + 0.15 + SMALL, "linear": BASE + 0.1}))
    assert "below its own ceiling" not in made.sentences[0]
    assert made.listings[0].rows[0][8] == "−4.70"


def test_a_corpus_without_anything_planted_has_its_largest_difference_and_counts(tmp_path: Path):
    scores = {"css": BASE, "adam": BASE + 0.03 + SMALL, "concat": BASE + SMALL, "tensor": BASE - 0.04 + WIDE}
    made = table(corpus(tmp_path / "store", scores, NOTHING))
    nothing, fineness = made.sentences
    assert nothing.startswith(
        "meld-sim: nothing is planted that takes more than a sum over modalities. Largest difference found: "
        "css − tensor, +4.00 points, 95 % CI ["
    )
    assert nothing.endswith(
        ", n = 10. Of 3 comparisons: 1 shown equal, 0 different but within the margin, 1 shown different beyond it, "
        "1 not decided."
    )
    assert "(sd of css − tensor: " in fineness
    (listing,) = made.listings
    assert listing.rows[0][:4] == ("meld-sim", "4.00", "css − tensor", "10")
    assert listing.rows[0][5:] == ("3", "1", "0", "1", "1")


def test_a_missing_method_is_named_with_how_to_add_it(tmp_path: Path):
    made = table(corpus(tmp_path / "store", {"css": BASE, "adam": BASE + 0.01 + WIDE}))
    assert made.sentences[0].endswith(
        "Nothing was found or missed: linear, which only adds modalities, has no runs here: add linear to --methods of "
        "the same cssbench run."
    )
    assert made.listings[0].rows[0][1:4] == ("7.00 ± 0.25", "—", "—")
    assert "(sd of adam − css: " in made.sentences[1]


@pytest.mark.parametrize("ceiling", [PLANTED, NOTHING])
def test_two_seeds_have_estimates_without_a_word_of_verdict(tmp_path: Path, ceiling):
    scores = {"css": BASE[:2] + 0.05 + SMALL[:2], "linear": BASE[:2]}
    made = table(corpus(tmp_path / "store", scores, ceiling))
    words, fineness = made.sentences
    assert "css − linear, +5.00 points, 95 % CI [3.73, 6.27], n = 2; " in words
    assert fineness == (
        "On meld-sim this harness can see no difference with 2 seeds, whatever its size: a verdict needs 8."
    )
    shown = [words.replace("could be found", ""), *(" ".join(row) for row in made.listings[0].rows)]
    assert not [word for word in VERDICTS for text in shown if word in text]
    assert made.frame["found_verdict"].isna().all()


def test_one_seed_has_no_interval(tmp_path: Path):
    made = table(corpus(tmp_path / "store", {"css": BASE[:1] + 0.05, "linear": BASE[:1]}))
    assert "css − linear, +5.00 points, n = 1; a verdict needs 8 seeds." in made.sentences[0]
    assert "with 1 seed," in made.sentences[1]


def test_what_is_not_known_is_said(tmp_path: Path):
    store = corpus(tmp_path / "store", {"css": BASE}, None)
    corpus(store, {"css": BASE}, NOTHING, dataset="iemocap-sim")
    nothing, fineness, unknown, fineness_there = table(store).sentences
    assert nothing.endswith("No two methods have a seed in common, so nothing is compared.")
    assert unknown.startswith("meld-sim: the manifest does not say what was planted.")
    assert fineness.endswith("which differences this harness can see: nothing is compared.")
    assert fineness_there.endswith("which differences this harness can see: nothing is compared.")


def test_without_spread_it_is_not_known_what_can_be_seen(tmp_path: Path):
    made = table(corpus(tmp_path / "store", {"css": BASE, "linear": BASE}))
    assert made.sentences[1].endswith("css − linear does not vary, or is not testable.")


def test_it_is_the_first_section_of_both_pages_and_its_numbers_are_in_a_file(tmp_path: Path):
    store = corpus(tmp_path / "store", {"css": BASE + 0.05 + SMALL, "linear": BASE})
    corpus(store, {"css": BASE, "linear": BASE + SMALL}, None, dataset="meld")
    shown = sections(store, tmp_path / "report")
    assert "###" not in shown["before"]
    for text in (shown["md"], unescape(shown["html"])):
        assert "7.00 ± 0.25 points of weighted F1. Found: css − linear, +5.00 points" in text
        assert "nothing of emotions, of people or of the paper" in text
        assert "meld:" not in text
    assert shown["after"].index('<section class="claims">') < shown["after"].index("<h2")
    page = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert '<a href="#instrument-all">Instrument check</a>' in page
    (row,) = pd.read_csv(tmp_path / "report/tables/instrument.csv").to_dict("records")
    assert (row["dataset"], row["data"], row["found_a"], row["found_b"]) == ("meld-sim", "simulated", "css", "linear")
    assert (row["planted"], row["planted_se"], row["found_difference"]) == pytest.approx((7.0, 0.25, 5.0))
    assert (row["found_verdict"], row["shown_different"], row["comparisons"]) == ("supported", 1, 1)


def test_a_report_on_real_data_has_no_such_section(tmp_path: Path):
    build(corpus(tmp_path / "store", {"css": BASE, "linear": BASE + SMALL}, None, dataset="meld"), tmp_path / "report")
    for name in ("index.html", "report.md"):
        assert "nstrument" not in (tmp_path / "report" / name).read_text(encoding="utf-8")
    assert not list((tmp_path / "report/tables").glob("instrument.*"))


def test_names_are_shown_as_they_are(tmp_path: Path):
    shown = sections(corpus(tmp_path / "store", {"css": BASE, "<b>*x*": BASE + WIDE}, NOTHING), tmp_path / "report")
    assert "&lt;b&gt;*x*" in shown["html"]
    assert "<b>" not in shown["html"]
    assert r"\<b>\*x\*" in shown["md"]
    assert not re.search(r"(?<!\\)<b>", shown["md"])


@pytest.mark.parametrize("value", ["high", None])
def test_a_damaged_ceiling_is_said(tmp_path: Path, add_run, value: object):
    add_run(tmp_path / "store", "meld-sim", ceiling=PLANTED | {"weighted_f1_synergy_se": value})
    with pytest.raises(ReportError, match=r"data\.ceiling\.weighted_f1_synergy_se"):
        build(tmp_path / "store", tmp_path / "report")
