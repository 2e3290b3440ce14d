"""A store of imports alone has a report: with what there is, and sentences about what there is not."""

import re
from pathlib import Path

import numpy as np
import pytest

from reports import build, load
from reports.analysis import analyse
from reports.build import read_scoreboards
from reports.chapters import CHAPTERS
from reports.evidence.comparisons import compare
from reports.inference.findings import findings, power_statement
from reports.reading.runs import read_store
from reports.statistics import Verdict
from tests.reports.synthetic_imports import leave_imports_alone, write_import
from tests.reports.synthetic_runs import write_run

pytestmark = pytest.mark.usefixtures("undrawn")

SDT, M3NET = (f"{name} (imported, epoch chosen on validation)" for name in ("SDT", "M3NET"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On meld whole runs of SDT and runs of M3NET, eight each; on a simulated corpus one run; on other data another."""
    store = tmp_path_factory.mktemp("alone") / "store"
    for dataset in ("meld", "iemocap-sim"):
        write_run(store, dataset, "css", 0, epochs=2, steps_per_epoch=2)
    write_import(store, np.linspace(60, 70, 8), selection="validation", epochs=4)
    write_import(store, np.linspace(50, 65, 8), label="M3NET", selection="validation")
    write_import(store, [55.0], dataset="iemocap-sim", selection="test")
    write_import(store, [50.0], label="MMGCN", dataset="iemocap-sim", fingerprint="e" * 64)
    return leave_imports_alone(store)


@pytest.fixture(scope="module")
def report(alone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "report"
    build(alone, folder)
    return folder


def chapters(text: str) -> dict[str, str]:
    """The text of a report's chapters by title."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_methods_are_compared_with_each_other_by_data_set(alone: Path) -> None:
    comparisons, (omitted,) = compare(read_store(alone).runs)
    assert [(c.dataset, [m.label for m in c.imported], c.methods) for c in comparisons] == [
        ("meld", [M3NET, SDT], ()), ("iemocap-sim", ["SDT (imported, epoch chosen on test)"], ())
    ]  # fmt: skip
    assert omitted.methods == ("MMGCN",)
    analysis = analyse(alone)
    (contrast,) = analysis.inference.contrasts
    assert (contrast.a, contrast.b) == (M3NET, SDT)
    assert contrast.comparison is not None
    assert contrast.judgement.verdict is Verdict.CONTRADICTED


def test_every_chapter_has_something_to_read(report: Path) -> None:
    by_title = chapters((report / "report.md").read_text(encoding="utf-8"))
    page = (report / "index.html").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        body = by_title[chapter.title].replace(chapter.lead, "")
        assert f'<h2 id="{chapter.id}">' in page
        assert "| --- |" in body or "![" in body or "Not available of" in body, chapter.title
    for title in ("Ablation and factorial effects", "Mechanism: conflict between the objectives", "Cost"):
        assert f"Not available of {M3NET} and {SDT}: imported predictions do not say" in by_title[title]
        assert "| --- |" not in by_title[title]
    assert "imported predictions do not say how steadily training ran" in by_title["Robustness"]
    assert "no probabilities were imported" in by_title["Calibration"]
    fooled = by_title["Would selection have fooled us?"]
    assert f"Not available of {M3NET}: only final predictions were imported" in fooled
    assert f"| {SDT} | 8 |" in fooled
    assert "is the only method on these data, so there is nothing to compare it with" in by_title["Differences, tested"]
    assert "2 imported methods, 16 runs in all, no run of this suite" in by_title["Data and provenance"]


def test_no_table_is_empty_and_no_number_of_training_is_in_one(report: Path) -> None:
    tables = {path.stem for path in (report / "tables").glob("*.csv")}
    assert not tables & {"stability", "conflict", "cost", "factorial", "ablation", "directions", "calibration"}
    assert {"leaderboard", "accuracy", "comparisons", "selection", "per_class", "claims", "runs"} <= tables
    assert all(
        len(path.read_text().splitlines()) > 1 for path in (report / "tables").glob("*.csv") if path.stem != "methods"
    )


def test_claims_are_not_testable_and_say_why(alone: Path) -> None:
    for claim in analyse(alone).claims:
        for part in claim.parts:
            assert part.judgement.verdict is Verdict.NOT_TESTABLE
            assert "no finished run of CSS" in part.judgement.sentence or "it needs" in part.judgement.sentence


def test_numbers_for_notebooks_and_the_terminal(alone: Path, report: Path) -> None:
    frames = load(alone)
    assert set(frames.history["method"]) == {SDT}
    assert frames.stability["volatility_fused_mean"].isna().all()
    assert len(frames.probes) == 0
    boards = {board.dataset: board for board in read_scoreboards(report)}
    assert [score.method for score in boards["meld"].scores] == [SDT, M3NET]
    assert boards["meld"].seconds_a_seed == 0
    assert M3NET in boards["meld"].answer


def test_what_adds_seeds_is_another_import(alone: Path) -> None:
    analysis = analyse(alone)
    few = next(e for e in analysis.validated if e.comparison.dataset == "iemocap-sim")
    assert (
        "import as many runs of every method, cssbench import-predictions --dataset 'iemocap-sim'"
        in power_statement(few)
    )
    assert "Highest mean weighted F1: SDT" in " ".join(findings(few, analysis.inference))
