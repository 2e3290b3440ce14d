import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from reports import ReportError, build
from reports.inference.findings import findings
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import read_store
from reports.statistics import Verdict
from reports.tables.comparisons import comparisons
from tests.reports.inference.preregistrations import BASE, LATE, SMALL, WIDE, declare, evidence_of, inferred, set_f1


@pytest.fixture
def many(tmp_path: Path, add_run) -> Path:
    """meld: css, adam, concat × 10 seeds."""
    for label, seed in product(("css", "adam", "concat"), range(10)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    return tmp_path / "store"


def brute_force(differences: np.ndarray) -> np.ndarray:
    """Adjusted p by max |t|, all sign flips of whole seeds; [seeds, comparisons]."""
    n = len(differences)
    signs = np.array(list(product((1, -1), repeat=n)))

    def t(d: np.ndarray) -> np.ndarray:
        return np.abs(d.mean(axis=0) / (d.std(axis=0, ddof=1) / np.sqrt(n)))

    observed = t(differences)
    largest = np.array([t(s[:, None] * differences).max() for s in signs])
    return np.array([(largest >= value - 1e-9).mean() for value in observed])


def test_a_row_has_the_numbers_that_scipy_and_all_flips_give(many: Path):
    declare(many, ("meld", "css", "adam"), ("meld", "css", "concat"))
    (evidence,), inference = inferred(many)
    frame = comparisons(evidence, inference).frame.set_index("b")
    f1 = {m: 100 * evidence.values(m, "selected_weighted_f1").sort_index() for m in ("css", "adam", "concat")}
    differences = np.column_stack([f1["css"] - f1["adam"], f1["css"] - f1["concat"]])
    adjusted = brute_force(differences)
    for i, other in enumerate(("adam", "concat")):
        row, d = frame.loc[other], differences[:, i]
        test = stats.ttest_rel(f1["css"], f1[other])
        assert row["n"] == 10
        assert row["difference"] == pytest.approx(d.mean())
        assert (row["low"], row["high"]) == pytest.approx(tuple(test.confidence_interval(0.95)))
        assert (row["low_90"], row["high_90"]) == pytest.approx(tuple(test.confidence_interval(0.90)))
        assert row["p_t"] == pytest.approx(test.pvalue)
        assert row["p_wilcoxon"] == pytest.approx(stats.wilcoxon(d).pvalue)
        assert row["p_adjusted"] == pytest.approx(adjusted[i])
        assert row["d_z"] == pytest.approx(d.mean() / d.std(ddof=1))
        assert row["improvement"] == pytest.approx((d > 0).mean())
        assert row["bca_warning"]
        assert row["declared"]
        assert row["family_size"] == 2


def test_counts_of_conversations_are_those_of_the_predictions(many: Path):
    (evidence,) = evidence_of(many)
    run = next(r for r in read_store(many).runs if (r.label, r.seed) == ("css", 3))
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    counts = evidence.counts("css", [3])[0]
    assert counts.shape == (35, 7, 7)
    third = frame[frame["conversation"] == "c2"]
    assert counts[2].sum() == len(third)
    assert counts[2].trace() == (third["predicted"] == third["label"]).sum()
    f1 = f1_score(frame["label"], frame["predicted"], average="weighted")
    assert evidence.values("css", "selected_weighted_f1")[3] == pytest.approx(f1)


def test_seed_luck_and_test_set_luck_are_those_of_the_counts(many: Path):
    from reports.statistics import conversation_flip_test, crossed_bootstrap, variance_components

    (evidence,), inference = inferred(many)
    row = comparisons(evidence, inference).frame.set_index("b").loc["adam"]
    a, b = (evidence.counts(m, range(10)) for m in ("css", "adam"))
    parts = variance_components(a, b)
    assert row["crossed_low"] == pytest.approx(100 * crossed_bootstrap(a, b).interval.low)
    assert row["se_seed"] == pytest.approx(100 * np.sqrt(parts.seed / 10))
    assert row["se_conversation"] == pytest.approx(100 * np.sqrt(parts.conversation / 35))
    assert row["se_remainder"] == pytest.approx(100 * np.sqrt(parts.remainder / 350))
    assert row["p_conversations"] == pytest.approx(conversation_flip_test(a, b).p)


def test_one_family_spans_the_data_sets(many: Path, add_run):
    for label, seed in product(("css", "adam"), range(10)):
        add_run(many, "meld-sim", label, seed, epochs=2)
    declare(many, ("meld", "css", "adam"), ("meld-sim", "css", "adam"))
    evidence, inference = inferred(many)
    by_dataset = {e.comparison.dataset: e for e in evidence}
    pairs = [c for c in inference.contrasts if not c.remark]
    differences = np.column_stack(
        [
            by_dataset[c.dataset].values("css", "selected_weighted_f1").sort_index()
            - by_dataset[c.dataset].values("adam", "selected_weighted_f1").sort_index()
            for c in pairs
        ]
    )
    assert [c.p_adjusted for c in pairs] == pytest.approx(brute_force(differences))
    # what was not declared is adjusted for everything that is shown, and marked
    (extra,) = [c for c in inference.contrasts if c.remark]
    assert (extra.b, extra.members, extra.remark) == ("concat", 3, "not declared before the runs")


@pytest.mark.parametrize(
    ("gain", "margin", "verdict"),
    [
        (0.03 + SMALL, 0.5, "supported"),
        (-0.03 + SMALL, 0.5, "contradicted"),
        (0.002 + SMALL / 10, 0.5, "different, but within the margin"),
        (SMALL, 0.5, "shown equal"),
        (WIDE, 0.5, "underpowered"),
        (np.zeros(10), 0.5, "not testable"),
    ],
)
def test_every_verdict_is_reached(many: Path, edit_json, gain: np.ndarray, margin: float, verdict: str):
    set_f1(many, edit_json, {("meld", "adam"): list(BASE), ("meld", "css"): list(BASE + gain)})
    declare(many, ("meld", "css", "adam"), margin=margin)
    (evidence,), inference = inferred(many)
    contrast = next(c for c in inference.contrasts if not c.remark)
    assert contrast.verdict == verdict
    sentences = findings(evidence, inference)
    assert sentences[0] == f"Declared: 1 comparison in weighted F1: 1 {verdict}."
    assert sentences[2].endswith(f": {verdict}.")
    assert sentences[2].startswith("css − adam: ")


def test_with_power_enough_and_no_p_no_difference_is_shown(tmp_path: Path, add_run, edit_json):
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(20)):
        add_run(store, "meld", label, seed, epochs=2)
    gain = stats.norm.ppf((np.arange(20) + 0.5) / 20) / 100
    gain = 0.0045 + gain / gain.std(ddof=1) / 100  # t = 2.0
    set_f1(store, edit_json, {("meld", "adam"): [0.6] * 20, ("meld", "css"): list(0.6 + gain)})
    declare(store, ("meld", "css", "adam"), margin=0.82)
    contrast = inferred(store)[1].contrasts[0]
    assert contrast.verdict == "no difference shown"
    assert contrast.judgement.numbers["power"] > 0.8


def test_too_few_seeds_and_missing_runs_have_their_verdicts(store: Path):
    declare(store, ("meld", "css", "adam"), ("meld", "css", "tensor"))
    evidence, inference = inferred(store)
    adam, tensor, *_ = inference.of("meld")
    assert adam.judgement.verdict is Verdict.TOO_FEW_SEEDS
    assert (adam.verdict, tensor.verdict) == (adam.judgement.points, "not testable")
    assert "no finished run of tensor: cssbench run --methods css,tensor" in tensor.judgement.sentence
    meld = next(e for e in evidence if e.comparison.dataset == "meld")
    row = comparisons(meld, inference).frame.set_index("b").loc["tensor"]
    assert row["n"] == 0
    assert np.isnan(row["difference"])


def test_without_a_declaration_everything_is_exploratory(store: Path):
    evidence, inference = inferred(store)
    assert {c.judgement.verdict for c in inference.contrasts} == {Verdict.TOO_FEW_SEEDS}
    assert all(c.verdict == f"{c.judgement.points} (exploratory)" for c in inference.contrasts)
    assert "No family of comparisons was declared" in inference.declarations["meld"]
    meld = next(e for e in evidence if e.comparison.dataset == "meld")
    assert findings(meld, inference)[0] == "Exploratory: 2 comparisons in weighted F1: 2 too few seeds."


def test_a_declaration_after_the_runs_is_no_declaration(many: Path):
    declare(many, ("meld", "css", "adam"), at=LATE)
    _, inference = inferred(many)
    contrast = inference.contrasts[0]
    assert contrast.remark == "declared after 20 of its 20 runs were begun"
    assert contrast.verdict.endswith("(exploratory)")
    assert "declared after 20 of its 20 runs" in inference.declarations["meld"]


def test_seeds_that_were_added_make_a_comparison_exploratory(many: Path):
    declare(many, ("meld", "css", "adam"), seeds=[0, 1, 2, 3, 4, 9])
    assert inferred(many)[1].contrasts[0].remark == "seeds 5–8 were added after the declaration"


def test_the_earliest_declaration_holds_and_a_later_one_adds_explorations(many: Path):
    declare(many, ("meld", "adam", "concat"), at=LATE, margin=2.0)
    declare(many, ("meld", "css", "adam"), margin=1.0)
    _, inference = inferred(many)
    assert [(c.a, c.b, c.margin, bool(c.remark)) for c in inference.contrasts] == [
        ("css", "adam", 1.0, False),
        ("adam", "concat", 1.0, True),
        ("css", "concat", 1.0, True),
    ]
    assert "A later declaration with margin 2 (2026-06-01 00:00 UTC) is not used." in inference.declarations["meld"]


def test_a_run_without_a_score_leaves_its_seed_out(many: Path, edit_json):
    set_f1(many, edit_json, {("meld", "css"): [None, *BASE[1:]]})
    (evidence,), inference = inferred(many)
    assert inference.contrasts[0].comparison is not None
    assert (inference.contrasts[0].comparison.n, inference.contrasts[0].comparison.dropped) == (9, (0,))
    assert any("in no difference of their method: seeds 0" in s for s in comparisons(evidence, inference).sentences)


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_and_two_seeds_give_estimates_without_warnings(tmp_path: Path, add_run, seeds: int):
    for label, seed in product(("css", "adam"), range(seeds)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    page = build(tmp_path / "store", tmp_path / "report").read_text(encoding="utf-8")
    assert ("one seed, no interval" in page) == (seeds == 1)
    assert page.count("A test needs 8 seeds: the same command with --seeds 8 adds them, about ") == 1
    assert page.count("there are too few seeds for a test, which needs 8") == 1
    assert not re.search(r"\bnan\b", re.sub("<script.*?</script>", "", page, flags=re.DOTALL), re.IGNORECASE)


def test_a_single_method_is_compared_with_nothing(tmp_path: Path, add_run):
    for seed in range(2):
        add_run(tmp_path / "store", "meld", "css", seed, epochs=2)
    (evidence,), inference = inferred(tmp_path / "store")
    assert inference.contrasts == ()
    sheet = comparisons(evidence, inference)
    assert sheet.listings == ()
    build(tmp_path / "store", tmp_path / "report")
    assert (tmp_path / "report/tables/comparisons.csv").is_file()


def test_the_spread_over_seeds_cannot_be_told_from_ten(many: Path):
    declare(many, ("meld", "css", "adam"))
    (evidence,), inference = inferred(many)
    row = comparisons(evidence, inference).frame.iloc[0]
    f1 = [100 * evidence.values(m, "selected_weighted_f1") for m in ("css", "adam")]
    assert row["sd_ratio"] == pytest.approx(f1[0].std() / f1[1].std())
    assert "to see a 30 % smaller sd takes about" in row["spread_sentence"]
    spread = comparisons(evidence, inference).listings[-1]
    assert spread.rows[0][-1] == "cannot tell: underpowered"


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot use"), ('{"format": 2}', "missing"), ("[]", "not an object")],
)
def test_a_damaged_family_is_named(store: Path, content: str, message: str):
    (store / "preregistrations").mkdir()
    (store / "preregistrations/a.json").write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=message):
        read_preregistrations(store)


def test_a_family_of_another_format_or_metric_is_refused(store: Path):
    path = declare(store, ("meld", "css", "adam"))
    content = json.loads(path.read_text(encoding="utf-8"))
    for change in ({"format": 3}, {"metric": "accuracy"}):
        path.write_text(json.dumps(content | change), encoding="utf-8")
        with pytest.raises(ReportError, match="use the css-bench version that wrote it"):
            read_preregistrations(store)


def test_predictions_that_do_not_fit_are_damage(many: Path):
    run = next(r for r in read_store(many).runs if (r.label, r.seed) == ("adam", 2))
    path = run.folder / "predictions.parquet"
    frame = pd.read_parquet(path)
    for column, message in (("label", "not those of the other runs"), ("predicted", "is not what predictions.parquet")):
        frame.assign(**{column: (frame[column] + 1) % 7}).to_parquet(path)
        with pytest.raises(ReportError, match=message):
            evidence_of(many)
    frame.assign(label=9).to_parquet(path)
    with pytest.raises(ReportError, match="a class is not in 0 … 6"):
        evidence_of(many)


@pytest.mark.usefixtures("undrawn")
def test_a_new_declaration_makes_a_report_stale(store: Path, tmp_path: Path):
    from reports import is_current

    build(store, tmp_path / "report")
    assert is_current(store, tmp_path / "report")
    declare(store, ("meld", "css", "adam"))
    assert not is_current(store, tmp_path / "report")


def test_a_store_of_the_first_version_is_told_where_its_declarations_belong(store: Path):
    (store / "families").mkdir()
    with pytest.raises(ReportError, match=r"families is where css-bench 0\.1 declared comparisons: rename the folder"):
        read_preregistrations(store)


@pytest.mark.parametrize(
    ("seeds", "time"), [(1, "5 minutes"), (3, "4 minutes"), (7, "47 seconds")]
)  # of 8 for two methods, 23.5 s a run
@pytest.mark.usefixtures("undrawn")
def test_the_time_that_a_test_still_needs_is_that_of_the_missing_runs(tmp_path: Path, add_run, seeds: int, time: str):
    for label, seed in product(("css", "adam"), range(seeds)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    text = build(tmp_path / "store", tmp_path / "report").with_name("report.md").read_text(encoding="utf-8")
    assert text.count(f"adds them, about {time} of work for one worker.") == 1


@pytest.mark.usefixtures("undrawn")
def test_enough_seeds_ask_for_no_more(many: Path):
    text = build(many, many.parent / "report").with_name("report.md").read_text(encoding="utf-8")
    assert "A test needs 8 seeds" not in text
    assert "there are too few seeds for a test" not in text
