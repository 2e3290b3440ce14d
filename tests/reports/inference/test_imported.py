"""Another code base's predictions on the tables: compared as what they are, and never a zero where nothing is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports import ReportError, build
from reports.evidence.comparisons import compare
from reports.evidence.method import Method
from reports.figures.scores import scores
from reports.figures.style import Palette
from reports.inference.claims import check_claims
from reports.inference.findings import findings
from reports.inference.imported import fair
from reports.reading.runs import Run, read_store
from reports.statistics import Judgement, Verdict
from reports.statistics.family import holm
from reports.tables.accuracy import accuracy
from reports.tables.comparisons import comparisons
from reports.tables.selection import selection
from tests.reports.inference.preregistrations import declare, evidence_of, inferred, write_declared
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import edit, write_run
from tests.reports.tables.stores import SUMMARIES

pytestmark = pytest.mark.usefixtures("undrawn")

OURS = 70 + np.array([0.3, -0.2, 0.1, 0.4, -0.4, 0.0, 0.2, -0.1, -0.3, 0.05])
UNKNOWN = "SDT (imported, choice of epoch unknown)"
VALID = "SDT (imported, epoch chosen on validation)"
M3NET = "M3NET (imported, epoch chosen on validation)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """css and adam on meld, ten seeds."""
    store = tmp_path_factory.mktemp("ours") / "store"
    for seed in range(10):
        for label in ("css", "adam"):
            folder = write_run(store, "meld", label, seed, epochs=2, steps_per_epoch=2)
            f1 = float(OURS[seed] - (label == "adam")) / 100
            scores = json.loads((folder / "result.json").read_text())["selected"]
            edit(folder / "result.json", selected=scores | {"weighted_f1": f1, "accuracy": f1 + 0.01})
    return store


@pytest.fixture
def ours(made: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(made, tmp_path / "store"))


def test_imports_keep_the_seeds_of_their_makers_whatever_these_are(ours: Path) -> None:
    write_import(ours, OURS[:2], first=1_000_000)
    stored = read_store(ours)
    assert stored.tuning == ()
    (comparison,) = compare(stored.runs)[0]
    assert [(m.label, len(m.runs)) for m in comparison.imported] == [(UNKNOWN, 2)]


def test_imports_stand_beside_the_runs_on_the_same_data(ours: Path) -> None:
    write_import(ours, OURS[:3])
    write_import(ours, OURS[:2], fingerprint="e" * 64)
    write_import(ours, OURS[:1], label="M3NET", selection="test")
    ((comparison,), (omitted,)) = compare(read_store(ours).runs)
    assert [m.label for m in comparison.methods] == ["css", "adam"]
    assert [(m.label, len(m.runs)) for m in comparison.imported] == [
        ("M3NET (imported, epoch chosen on test)", 1), (UNKNOWN, 3)
    ]  # fmt: skip
    assert (omitted.methods, omitted.runs) == (("SDT",), 2)
    assert "imported on other data than those that are shown of this name" in omitted.differences[0]


def test_their_scores_are_in_a_column_of_their_own_and_all_else_is_nan(ours: Path) -> None:
    write_import(ours, OURS[:4] - 2)
    (evidence,) = evidence_of(ours)
    row = accuracy(evidence).frame.set_index("method").loc[UNKNOWN]
    assert row["imported_weighted_f1_mean"] == pytest.approx((OURS[:4] - 2).mean() / 100)
    assert row["imported_weighted_f1_sd"] == pytest.approx((OURS[:4] / 100).std(ddof=1))
    assert row["n"] == 4
    for make in SUMMARIES:
        table = make(evidence)
        frame = table.frame
        rows = frame[frame["method"] == UNKNOWN] if len(frame) else frame
        known = {"n", *(c for c in rows if c.startswith(("imported_", "ceiling_")) or c.endswith("_n"))}
        numbers = rows.drop(columns=known & set(rows.columns)).select_dtypes("number")
        assert numbers.isna().all(axis=None), table.name
    assert accuracy(evidence).frame.set_index("method").loc["css", "imported_weighted_f1_n"] == 0


def test_every_page_says_what_is_not_known(ours: Path, tmp_path: Path) -> None:
    write_import(ours, OURS - 2, selection="test")
    build(ours, tmp_path / "report")
    name = "SDT (imported, epoch chosen on test)"
    for page in ("index.html", "report.md", *(f"tables/{t}.md" for t in ("accuracy", "comparisons", "stability"))):
        assert name in (tmp_path / "report" / page).read_text(encoding="utf-8"), page
    tables = tmp_path / "report" / "tables"
    (line,) = [x for x in (tables / "stability.md").read_text(encoding="utf-8").splitlines() if name in x]
    assert set(line.split(" | ")[2:]) == {"not available", "not available |"}
    (own,) = [x for x in (tables / "accuracy.md").read_text(encoding="utf-8").splitlines() if f"| {name}" in x]
    assert "68.0 ± 0.3" in own
    said = "10 runs from theirs.csv (SHA-256 aaaaaaaaaaaa), seeds not matched with this suite's"
    for page in ("index.html", "report.md", "tables/comparisons.md"):
        assert said.replace("'", "&#39;") in (tmp_path / "report" / page).read_text(encoding="utf-8").replace(
            "'", "&#39;"
        )


def test_seeds_that_are_not_matched_are_compared_as_welch_does(ours: Path) -> None:
    theirs = OURS[:9][::-1] - 2 + np.linspace(0, 0.6, 9)
    write_import(ours, theirs, selection="validation")
    (evidence,), inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if c.b == VALID)
    expected = stats.ttest_ind(OURS, theirs, equal_var=False)
    assert contrast.comparison is None
    assert contrast.unpaired is not None
    assert tuple(contrast.unpaired.interval) == pytest.approx(tuple(expected.confidence_interval()))
    assert contrast.judgement.verdict is Verdict.SUPPORTED
    assert contrast.remark == "not declared before the runs"
    row = comparisons(evidence, inference).frame.set_index("b").loc[VALID]
    assert (row["n_a"], row["n_b"], row["p_t"]) == (10, 9, pytest.approx(expected.pvalue))
    assert row[["d_z", "p_wilcoxon", "crossed_low", "sd_ratio"]].isna().all()
    shown = comparisons(evidence, inference).listings[0].rows
    assert ("10, 9") in {cells[4] for cells in shown}


def test_the_paired_family_is_what_it_was_and_unpaired_ones_are_adjusted_among_themselves(ours: Path) -> None:
    _, before = inferred(ours)
    write_import(ours, OURS[:9] - 0.3, selection="validation")
    write_import(ours, OURS[:9] - 0.1, label="M3NET", selection="validation")
    _, after = inferred(ours)
    (adam,) = before.contrasts
    assert next(c for c in after.contrasts if c.b == "adam").p_adjusted == adam.p_adjusted
    apart = [c for c in after.contrasts if c.unpaired is not None]
    raw = np.array([c.unpaired.p for c in apart if c.unpaired is not None])
    assert [c.p_adjusted for c in apart] == pytest.approx(holm(raw).tolist())
    assert min(c.p_adjusted for c in apart) == pytest.approx(2 * raw.min())


def test_matched_seeds_are_paired_and_join_the_family(ours: Path) -> None:
    write_import(ours, OURS - 0.3 + np.linspace(-0.05, 0.05, 10), selection="validation", paired=True)
    (evidence,), inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if c.b == VALID)
    assert contrast.unpaired is None
    assert contrast.comparison is not None
    assert contrast.comparison.n == 10
    assert contrast.comparison.mean == pytest.approx(0.3)
    assert contrast.members == 2
    row = comparisons(evidence, inference).frame.set_index("b").loc[VALID]
    assert np.isfinite(row[["crossed_low", "sd_ratio", "d_z"]].astype(float)).all()


METHODS = {
    how: Method(how, (Run(Path(), {"protocol": "imported", "imported": {"selection": how}}, {}, {}),))
    for how in ("validation", "test", "unknown")
} | {"ours": Method("css", (Run(Path(), {"protocol": "validated"}, {}, {}),))}
SUPPORTED, CONTRADICTED, NOT_TESTABLE = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_TESTABLE


@pytest.mark.parametrize("theirs", ["validation", "test", "unknown"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_epoch_chosen_on_test_or_nobody_knows_how_can_only_lose(verdict: Verdict, first: bool, theirs: str) -> None:
    pair = (METHODS["ours"], METHODS[theirs]) if first else (METHODS[theirs], METHODS["ours"])
    found = fair(Judgement(verdict, verdict, f"a − b: 1 F1: {verdict.value}.", {}), *pair)
    lost = SUPPORTED if first else CONTRADICTED
    decided = {SUPPORTED, CONTRADICTED, Verdict.SHOWN_EQUAL, Verdict.WITHIN_MARGIN}
    doubtful = theirs != "validation" and verdict in decided - {lost}
    assert (found.verdict, found.alone) == ((NOT_TESTABLE,) * 2 if doubtful else (verdict,) * 2)
    cause = f"; {theirs} may owe this to the test set: not testable." if doubtful else f": {verdict.value}."
    assert found.sentence == f"a − b: 1 F1{cause}"


def test_two_imports_of_unknown_epochs_settle_nothing() -> None:
    for verdict in (SUPPORTED, CONTRADICTED):
        found = fair(Judgement(verdict, verdict, f"a − b: {verdict.value}.", {}), METHODS["test"], METHODS["unknown"])
        assert (found.verdict, found.alone) == (NOT_TESTABLE, NOT_TESTABLE)


@pytest.mark.parametrize("paired", [False, True])
def test_what_a_choice_on_test_may_explain_decides_nothing(ours: Path, paired: bool) -> None:
    write_import(ours, OURS + 2 + np.linspace(-0.05, 0.05, 10), selection="test", paired=paired)
    evidence, inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if "SDT" in c.b)
    assert contrast.judgement.verdict is NOT_TESTABLE
    (claim,) = [c for c in check_claims(evidence, inference) if c.id == "a"]
    assert claim.verdict("meld") is NOT_TESTABLE


def test_claim_a_uses_what_was_imported_but_not_another_css(ours: Path) -> None:
    def claim() -> Any:
        evidence, inference = inferred(ours)
        return next(c for c in check_claims(evidence, inference) if c.id == "a")

    (part,) = claim().parts
    assert "it needs their predictions: cssbench import-predictions FILE --method NAME" in part.judgement.sentence
    write_import(ours, OURS, label="CSS (authors)", selection="validation")
    write_import(ours, OURS - 2, selection="test")
    write_import(ours, OURS - 2, label="M3NET", selection="validation", paired=True)
    found = claim()
    assert [p.label for p in found.parts] == [
        f"css − {name}, {metric}"
        for name in ("M3NET (imported, epoch chosen on validation)", "SDT (imported, epoch chosen on test)")
        for metric in ("weighted F1", "accuracy")
    ]
    assert found.verdict("meld") is Verdict.SUPPORTED
    write_import(ours, OURS + 2, label="GraphSmile", selection="validation")
    assert claim().verdict("meld") is Verdict.CONTRADICTED


def test_a_declared_family_may_name_an_import(ours: Path) -> None:
    write_import(ours, OURS - 2, selection="validation")
    declare(ours, ("meld", "css", "SDT"))
    for path in list(ours.glob("preregistrations/*")):  # under our budget, as cssbench run declares it
        content = json.loads(path.read_text())
        content["comparisons"][0]["budget"] = next(r.budget for r in read_store(ours).runs if r.label == "css")
        content["seeds"] = list(range(10))
        path.unlink()
        write_declared(ours, content)
    _, inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if c.b == VALID)
    assert contrast.remark == ""
    assert contrast.verdict == "supported"


def test_two_imports_may_be_compared_with_each_other(ours: Path) -> None:
    write_import(ours, OURS - 2, selection="validation")
    write_import(ours, OURS + 2, label="M3NET", selection="validation", first=20)
    declare(ours, ("meld", "M3NET", "SDT"))
    for path in list(ours.glob("preregistrations/*")):
        content = json.loads(path.read_text())
        content["comparisons"][0]["budget"] = next(r.budget for r in read_store(ours).runs if r.label == "css")
        path.unlink()
        write_declared(ours, content)
    _, inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if {c.a, c.b} == {M3NET, VALID})
    assert (contrast.remark, contrast.verdict) == ("", "supported")
    assert contrast.unpaired is not None
    assert contrast.unpaired.mean == pytest.approx(4.0)


def test_imports_are_in_the_figure_of_scores(ours: Path) -> None:
    write_import(ours, OURS - 2, selection="validation")
    (evidence,) = evidence_of(ours)
    drawing = scores(evidence, Palette([method.label for method in evidence.comparison.methods]))
    assert drawing is not None
    rows = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert VALID in rows
    points = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
    assert sorted(points[0].get_xdata()) == pytest.approx(sorted(OURS - 2))
    assert "Diamonds: imported" in drawing.caption


def test_too_few_runs_of_theirs_are_estimated_only(ours: Path) -> None:
    write_import(ours, OURS[:1] - 2)
    (evidence,), inference = inferred(ours)
    contrast = next(c for c in inference.contrasts if c.b == UNKNOWN)
    assert contrast.judgement.verdict is Verdict.TOO_FEW_SEEDS
    assert "10 and 1 runs, not paired; a test needs 8 of each" in " ".join(findings(evidence, inference))
    table = selection(evidence)
    assert table is not None
    assert "Not available of SDT" in " ".join(table.sentences)


def test_damaged_imports_are_named(ours: Path, edit_json: Callable[..., None]) -> None:
    write_import(ours, OURS[:1])
    (run,) = [run for run in read_store(ours).runs if run.protocol == "imported"]
    edit_json(run.folder / "result.json", imported={"accuracy": 0.5})
    assert "result.json: imported.weighted_f1 is missing" in read_store(ours).damaged[run.key]
    edit_json(run.folder / "spec.json", imported={"selection": "test"})
    assert "spec.json: imported.paired is missing" in read_store(ours).damaged[run.key]
    edit_json(run.folder / "spec.json", imported=dict(run.spec["imported"]) | {"epochs": 3})
    assert "result.json: " in read_store(ours).damaged[run.key]


def test_labels_that_are_not_those_of_our_runs_are_refused(ours: Path) -> None:
    write_import(ours, OURS[:1])
    (run,) = [run for run in read_store(ours).runs if run.protocol == "imported"]
    table = pd.read_parquet(run.folder / "predictions.parquet")
    table.assign(label=(table["label"] + 1) % 7).to_parquet(run.folder / "predictions.parquet")
    with pytest.raises(ReportError, match="labels are not those of the other runs"):
        evidence_of(ours)
