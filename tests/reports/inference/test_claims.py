import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from reports.evidence.evidence import Evidence
from reports.inference.claims import Claim, Part, check_claims, scope
from reports.inference.factorial import complete_grids, effects
from reports.inference.findings import findings
from reports.reading.runs import read_store
from reports.statistics import Verdict, selection_gap
from reports.statistics.counts import confusions
from reports.statistics.verdicts import Judgement
from reports.tables.claims import claims_table
from reports.tables.factorial import factorial
from reports.tables.selection import selection
from tests.reports.inference.preregistrations import BASE, SMALL, WIDE, declare, evidence_of, inferred, set_f1
from tests.reports.synthetic_runs import write_run


def claims_of(store: Path) -> tuple[list[Evidence], dict[str, Claim]]:
    evidence, inference = inferred(store)
    return evidence, {claim.id: claim for claim in check_claims(evidence, inference)}


def write(store: Path, add_run, labels: tuple[str, ...], seeds: int, *datasets: str) -> Path:
    for dataset, label, seed in product(datasets or ("meld",), labels, range(seeds)):
        add_run(store, dataset, label, seed, epochs=2)
    return store


@pytest.fixture
def grid(tmp_path: Path, add_run) -> Path:
    """meld: a complete 2 × 2 and tensor × 8 seeds."""
    return write(tmp_path / "store", add_run, ("css", "adam", "concat+pgm", "concat", "tensor"), 8)


def test_effects_are_those_of_the_four_cells(grid: Path):
    (evidence,) = evidence_of(grid)
    f1 = {m.label: 100 * evidence.values(m.label, "selected_weighted_f1").sort_index().to_numpy()
          for m in evidence.comparison.methods}  # fmt: skip
    expected = {
        "spf − concat": (f1["css"] + f1["adam"] - f1["concat+pgm"] - f1["concat"]) / 2,
        "pgm − equal": (f1["css"] - f1["adam"] + f1["concat+pgm"] - f1["concat"]) / 2,
        "(spf − concat) × (pgm − equal)": f1["css"] - f1["adam"] - f1["concat+pgm"] + f1["concat"],
    }
    found = {effect.name: effect for effect in effects(evidence)[0]}
    assert set(found) == set(expected)
    for name, values in expected.items():
        c = found[name].comparison
        test = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (c.mean, *c.interval) == pytest.approx((values.mean(), test.low, test.high))
    assert [found[name].kind for name in expected] == ["fusion", "aggregator", "interaction"]


def test_what_is_in_no_complete_grid_is_named_with_its_missing_cells(grid: Path, add_run):
    sheet = factorial(evidence_of(grid)[0])
    assert sheet.sentences == ("tensor: not estimable: missing tensor+pgm.",)
    assert list(sheet.frame["not_estimable"])[-1].startswith("tensor")
    write(grid, add_run, ("pcgrad",), 8)
    assert "pcgrad: not estimable: missing concat+pcgrad." in factorial(evidence_of(grid)[0]).sentences


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (("css", "adam", "concat"), "Not estimable: fusion × aggregator lacks concat+pgm."),
        (("css", "adam"), "Not estimable: all methods have one fusion, so there is no grid to take effects from."),
        (("css",), "Not estimable: there is one method, spf+pgm."),
    ],
)
def test_without_a_grid_the_table_says_why(tmp_path: Path, add_run, labels: tuple[str, ...], sentence: str):
    (evidence,) = evidence_of(write(tmp_path / "store", add_run, labels, 2))
    sheet = factorial(evidence)
    assert (sheet.sentences, sheet.listings) == ((sentence,), ())


def test_methods_of_other_encoders_form_grids_of_their_own(grid: Path, add_run):
    write(grid, add_run, ("css-released",), 8)
    sheet = factorial(evidence_of(grid)[0])
    assert any("encoder released" in s and "one method" in s for s in sheet.sentences)
    assert sheet.listings[0].title == "{spf, concat} × {pgm, equal}, encoder paper, objectives paper"


def test_a_grid_is_named_by_the_options_that_are_unlike_those_of_most(tmp_path: Path):
    both = {"modality_aware": True, "interaction_aware": True}
    for options, labels in (
        (both, ("css", "adam", "concat+pgm", "concat")),
        ({"modality_aware": False}, ("css", "adam")),
    ):
        encoder = {"name": "paper", "options": both | options}
        for label, seed in product(labels, range(2)):
            write_run(tmp_path, label=label, seed=seed, encoder=encoder, named=f"{label} {len(labels)}", epochs=2)
    grid_effects, sentences = effects(evidence_of(tmp_path)[0])
    assert {effect.grid.partition("encoder ")[2] for effect in grid_effects} == {"paper, objectives paper"}
    assert any("encoder paper(modality_aware=false), objectives paper" in sentence for sentence in sentences)


def test_complete_grids_are_the_largest_ones():
    cells = {(f, a) for f, a in product("xyz", "pqr") if (f, a) not in {("z", "r"), ("x", "p")}}
    by_force = set()
    for fusions in (("x", "y"), ("x", "z"), ("y", "z"), ("x", "y", "z")):
        shared = tuple(a for a in "pqr" if all((f, a) in cells for f in fusions))
        rows = tuple(f for f in "xyz" if all((f, a) in cells for a in shared))
        if len(shared) > 1:
            by_force.add((rows, shared))
    assert set(complete_grids(cells)) == by_force
    assert complete_grids({("x", "p"), ("y", "q")}) == []


def test_selection_has_gap_optimism_and_regret_of_the_predictions(grid: Path):
    (evidence,) = evidence_of(grid)
    frame = selection(evidence).frame.set_index("method")
    optimisms, gaps = [], []
    for run in read_store(grid).runs:
        if run.label == "css":
            test = pd.read_parquet(run.folder / "test_predictions.parquet")
            label = pd.read_parquet(run.folder / "predictions.parquet")["label"].to_numpy()
            by_epoch = test[["epoch_1", "epoch_2"]].to_numpy(dtype=int).T
            f1 = [f1_score(label, row, average="weighted") for row in by_epoch]
            gaps.append(max(f1) - f1[0])
            conversation = test["conversation"].str[1:].astype(int).to_numpy()
            optimisms.append(selection_gap(confusions(label, by_epoch, conversation, 7), 1).optimism)
    row = frame.loc["css"]
    assert row["gap_mean"] == pytest.approx(np.mean(gaps))
    assert row["optimism_mean"] == pytest.approx(np.mean(optimisms))
    assert row["regret_mean"] == pytest.approx(np.mean(gaps) - np.mean(optimisms))


def test_the_difference_of_gaps_is_paired_and_tested(grid: Path):
    (evidence,) = evidence_of(grid)
    row = selection(evidence).frame.set_index("method").loc["adam"]
    gap = {m: 100 * evidence.values(m, "gap").sort_index().to_numpy() for m in ("css", "adam")}
    test = stats.ttest_rel(gap["css"], gap["adam"]).confidence_interval(0.95)
    assert row["gap_difference"] == pytest.approx((gap["css"] - gap["adam"]).mean())
    assert (row["gap_difference_low"], row["gap_difference_high"]) == pytest.approx((test.low, test.high))
    signs = np.array(list(product((1, -1), repeat=8)))
    sums = np.abs(signs @ (gap["css"] - gap["adam"]))
    assert row["gap_difference_p"] == pytest.approx((sums >= sums[0] - 1e-9).mean())


def test_gaps_of_seeds_that_share_sessions_differ_by_session(tmp_path: Path, add_run):
    (evidence,), _ = claims_of(write(tmp_path, add_run, ("css", "adam"), 8, "iemocap"))
    found = selection(evidence)
    row = found.frame.set_index("method").loc["adam"]
    gap = {m: 100 * evidence.values(m, "gap").sort_index().to_numpy() for m in ("css", "adam")}
    by_session = (gap["css"] - gap["adam"]).reshape(2, 4).mean(axis=0)  # seeds 0 to 3, then 4 to 7
    limits = stats.ttest_1samp(by_session, 0).confidence_interval(0.95)
    assert (row["gap_difference_low"], row["gap_difference_high"]) == pytest.approx((limits.low, limits.high))


def test_ranks_and_what_one_would_have_claimed(grid: Path):
    (evidence,) = evidence_of(grid)
    sheet = selection(evidence)
    frame = sheet.frame.set_index("method")
    labels = [m.label for m in evidence.comparison.methods]
    peaks = np.array([evidence.values(m, "peak_test_weighted_f1").sort_index() for m in labels])
    selected = np.array([evidence.values(m, "selected_weighted_f1").sort_index() for m in labels])
    assert list(frame["rank_selected"]) == list(stats.rankdata(-selected.mean(axis=1)))
    assert list(frame["rank_peak"]) == list(stats.rankdata(-peaks.mean(axis=1)))
    assert list(frame["rank_best_seed"]) == list(stats.rankdata(-peaks.max(axis=1)))
    best_seeds = sorted(zip(peaks.max(axis=1), labels, strict=True), reverse=True)
    assert sheet.listings[1].rows[2][1] == ", ".join(f"{m} {100 * score:.1f}" for score, m in best_seeds)
    assert f"css {100 * peaks[0].max():.1f} (seed {peaks[0].argmax()}) instead of" in sheet.sentences[0]


def test_seeds_that_not_all_methods_have_are_no_part_of_rankings(grid: Path, add_run):
    add_run(grid, "meld", "css", 8, epochs=2)
    assert selection(evidence_of(grid)[0]).listings[1].title == "Rankings under three rules, 8 common seeds"


@pytest.mark.parametrize(
    ("adam", "concat", "b2", "b1"),
    [
        (BASE - 0.03 + SMALL, BASE - 0.02 + SMALL, "supported", "supported"),
        (BASE + 0.03 + SMALL, BASE + SMALL, "contradicted", "shown equal"),
        (BASE + WIDE, BASE - 0.002 + SMALL / 10, "underpowered", "different, but within the margin"),
    ],
)
def test_claims_get_the_verdicts_of_their_contrasts(
    tmp_path: Path, add_run, edit_json, adam: np.ndarray, concat: np.ndarray, b2: str, b1: str
):
    store = write(tmp_path / "store", add_run, ("css", "adam", "concat+pgm"), 10)
    scores = {"css": BASE, "adam": adam, "concat+pgm": concat}
    set_f1(store, edit_json, {("meld", label): list(values) for label, values in scores.items()})
    declare(store, ("meld", "css", "adam"), ("meld", "css", "concat+pgm"))
    _, inference = inferred(store)
    _, claims = claims_of(store)
    assert claims["b2"].verdict("meld").value == b2
    assert claims["b1"].verdict("meld").value == b1
    by_rival = {c.b: c.p_adjusted for c in inference.contrasts}
    assert claims["b2"].parts[0].judgement.numbers["p_adjusted"] == by_rival["adam"]
    assert claims["a′"].overall(["meld"]) is Verdict.NOT_TESTABLE  # it is about both corpora


def test_a_claim_of_one_part_goes_by_its_adjusted_p(tmp_path: Path, add_run, edit_json):
    store = write(tmp_path / "store", add_run, ("css", "adam", "concat", "concat+pgm"), 8)
    gain = np.array([3, 2, 1, 2, 3, -0.9, 2, -0.8]) / 100  # raw p .03
    rng = np.random.default_rng(1)
    scores = {"adam": 0.6 - gain} | {m: 0.6 - 0.03 * rng.normal(size=8) for m in ("concat", "concat+pgm")}
    set_f1(store, edit_json, {("meld", "css"): [0.6] * 8} | {("meld", m): list(v) for m, v in scores.items()})
    declare(store, *(("meld", "css", other) for other in scores))
    (part,) = (claim := claims_of(store)[1]["b2"]).parts
    assert part.judgement.numbers["p"] < 0.05 < part.judgement.numbers["p_adjusted"]
    assert claim.verdict("meld") is claim.overall(["meld"]) is Verdict.UNDERPOWERED


def test_a_claim_on_both_corpora_needs_every_part(tmp_path: Path, add_run, edit_json):
    rivals = ("adam", "concat", "concat+pgm", "pcgrad", "tensor")
    store = write(tmp_path / "store", add_run, ("css", *rivals), 8, "meld", "iemocap")
    scores = {(d, m): list(BASE[:8]) for d in ("meld", "iemocap") for m in rivals}
    scores |= {(d, "css"): list(BASE[:8] + 0.03 + SMALL[:8]) for d in ("meld", "iemocap")}
    set_f1(store, edit_json, scores)
    for run in read_store(store).runs:  # accuracy, too
        selected = dict(run.result["selected"])
        edit_json(run.folder / "result.json", selected=selected | {"accuracy": selected["weighted_f1"]})
    _, claims = claims_of(store)
    assert len(claims["a′"].parts) == 20
    assert claims["a′"].overall(["meld", "iemocap"]) is Verdict.SUPPORTED
    set_f1(store, edit_json, scores | {("meld", "tensor"): list(BASE[:8] + 0.03)})  # its accuracy stays
    claim = claims_of(store)[1]["a′"]
    assert claim.overall(["meld", "iemocap"]) is Verdict.NOT_SUPPORTED
    assert claim.verdict("iemocap") is Verdict.SUPPORTED
    assert "10 parts: 9 supported, 1 shown equal" in claim.words("meld")
    assert "against it: css − tensor, weighted F1." in claim.words("meld")
    set_f1(store, edit_json, scores | {("meld", "css"): list(BASE[:8] - 0.03 + SMALL[:8])})
    assert claims_of(store)[1]["a′"].overall(["meld", "iemocap"]) is Verdict.CONTRADICTED


def test_a_claim_against_baselines_needs_those_of_the_published_comparison(tmp_path: Path, add_run, edit_json):
    """css(rank=1), or one stream after cross-attention, is easily beaten and no baseline."""
    store = write(tmp_path / "store", add_run, ("css", "css(rank=1)", "text", "adam"), 8)
    set_f1(store, edit_json, {("meld", "css"): list(BASE[:8] + 0.03 + SMALL[:8]), ("meld", "adam"): list(BASE[:8])})
    evidence, claims = claims_of(store)
    parts = claims["a′"].on("meld")
    assert [part.label for part in parts] == [
        "css − adam, weighted F1",
        "css − adam, accuracy",
        "css is to beat all of adam, concat, concat+pgm, pcgrad, tensor; not run: concat, concat+pgm, pcgrad, tensor",
    ]
    assert claims["a′"].verdict("meld") is Verdict.NOT_TESTABLE
    assert "no unimodal baseline" in " ".join(findings(evidence[0], inferred(store)[1]))


def test_a_claim_about_a_class_without_test_utterances_is_not_testable(tmp_path: Path, add_run):
    store = write(tmp_path / "store", add_run, ("css", "concat"), 8, "iemocap")
    for run in read_store(store).runs:  # excited becomes angry
        table = pd.read_parquet(run.folder / "predictions.parquet")
        table.assign(label=table["label"].replace(4, 3)).to_parquet(run.folder / "predictions.parquet")
    (part,) = claims_of(store)[1]["g"].parts
    assert part.judgement.verdict is Verdict.NOT_TESTABLE
    assert "the test set has no utterance of excited" in part.judgement.sentence


def test_two_underpowered_columns_that_are_supported_together_say_why():
    parts = [
        Part(
            dataset=d,
            label=f"css − {b}",
            judgement=Judgement(Verdict.UNDERPOWERED, Verdict.SUPPORTED, "", {"p": 0.03}),
        )
        for d in ("meld", "iemocap") for b in ("adam", "concat")
    ]  # fmt: skip
    claim = Claim(id="x", says="", published="", corpora=(), parts=tuple(parts))
    assert claim.overall(["meld", "iemocap"]) is Verdict.SUPPORTED
    text = claim.words_together(["meld", "iemocap"])
    assert "each of the 4 parts rejects at its own p" in text
    assert "intersection-union test" in text
    assert "4 underpowered" in text
    assert claim.p("meld") == 0.03


@pytest.mark.parametrize("name", ["e2", "g"])
def test_verdicts_on_the_paper_use_the_refits_scores(tmp_path: Path, add_run, edit_json, name: str):
    store = tmp_path / "store"
    for label, seed in product(("css-released", "released/adam", "released/concat"), range(8)):
        run = {"dataset": "iemocap", "label": label, "seed": seed, "published": True, "epochs": 2}
        spec = json.loads((add_run(store, **run) / "spec.json").read_text())
        origin = {"group": spec["group"], "budget": spec["budget"], "epochs": {spec["key"]: 7}, "mean": 7.0}
        add_run(store, **run, protocol="refit", refit_of=origin, shift=0.02 * (seed % 3))
    (evidence,), claims = claims_of(store)
    (part,) = claims[name].parts
    assert "after a refit" in part.label
    released, other = (
        [run for method in evidence.comparison.methods if method.label == label for run in method.refits]
        for label in ("css-released", "released/adam" if name == "e2" else "released/concat")
    )
    if name == "e2":
        sds = [np.std([100 * run.number("last", "weighted_f1") for run in runs], ddof=1) for runs in (released, other)]
        assert part.judgement.numbers["log_ratio"] == pytest.approx(2 * np.log(sds[0] / sds[1]))
    else:
        f1 = [100 * np.array([run.result["last"]["per_class_f1"] for run in runs]) for runs in (released, other)]
        gain = f1[0] - f1[1]
        by_seed = gain[:, [0, 5]].mean(axis=1) - gain[:, 1:5].mean(axis=1)
        assert part.judgement.numbers["mean"] == pytest.approx(by_seed.mean())


def test_what_was_not_run_is_named_with_its_command(store: Path):
    evidence, claims = claims_of(store)
    for name, command in (("c", "css,css-shared"), ("d", "css,css-nosqrt"), ("b1", "css,concat+pgm")):
        (part,) = [p for p in claims[name].parts if p.dataset == "meld"]
        assert part.judgement.verdict is Verdict.NOT_TESTABLE
        assert f"cssbench run --methods {command} --preset full" in part.judgement.sentence
    assert "15 of 16 cells" in claims["f"].parts[0].judgement.sentence
    assert claims["a"].verdict("meld") is Verdict.NOT_TESTABLE
    sheet = claims_table(evidence, tuple(claims.values()))
    assert [row[0] for row in sheet.listings[0].rows] == ["a", "a′", "b1", "b2", "c", "d", "e1", "e2", "f", "g"]


def test_rivals_are_found_by_their_parts(tmp_path: Path, add_run):
    store = write(tmp_path / "store", add_run, ("css", "css-shared", "css-nosqrt", "adam", "css-released"), 8)
    _, claims = claims_of(store)
    assert [p.label for p in claims["c"].parts] == ["css − css-shared, weighted F1"]
    assert [p.label.split(",")[0] for p in claims["d"].parts] == ["css − css-nosqrt"] * 3
    assert {p.label.split(",")[0] for p in claims["a′"].parts[:2]} == {"css − adam"}
    assert claims["e2"].verdict("meld") in (Verdict.UNDERPOWERED, Verdict.SUPPORTED, Verdict.CONTRADICTED)


def test_update_conflict_is_better_when_lower(tmp_path: Path, add_run):
    store = write(tmp_path / "store", add_run, ("css", "adam"), 10)
    for run in read_store(store).runs:
        frame = pd.read_parquet(run.folder / "conflict.parquet")
        value = 0.5 if run.label == "css" else np.where(np.arange(len(frame)) <= run.seed % 2, 0.5, -0.5)
        frame.assign(**{c: value for c in frame if c.startswith("update_cos")}).to_parquet(
            run.folder / "conflict.parquet"
        )
    assert claims_of(store)[1]["e1"].verdict("meld") is Verdict.SUPPORTED


def test_the_gain_on_two_classes_is_that_of_their_f1(tmp_path: Path, add_run):
    store = write(tmp_path / "store", add_run, ("css", "concat"), 8, "iemocap")
    _, claims = claims_of(store)
    by_run = {(r.label, r.seed): np.array(r.result["selected"]["per_class_f1"]) for r in read_store(store).runs}
    gain = np.array([100 * (by_run["css", s] - by_run["concat", s]) for s in range(8)])
    named = [0, 5]  # happy, frustrated
    others = [1, 2, 3, 4]
    expected = (gain[:, named].mean(axis=1) - gain[:, others].mean(axis=1)).mean()  # two seeds of each session
    assert claims["g"].parts[0].judgement.numbers["mean"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("by_order", "by_rank", "verdict"),
    [(0.03, 0.0, "supported"), (0.0, 0.0, "not supported"), (0.03, 0.03, "contradicted")],
)
def test_order_matters_and_rank_does_not(
    tmp_path: Path, add_run, edit_json, by_order: float, by_rank: float, verdict: str
):
    cells = {(r, p): "css" if (r, p) == (16, 3) else f"css(rank={r},order={p})" for r in (2, 8, 16, 64)
             for p in range(1, 5)}  # fmt: skip
    store = write(tmp_path / "store", add_run, tuple(cells.values()), 10)
    rng = np.random.default_rng(0)
    set_f1(
        store, edit_json,
        {("meld", label): list(0.6 - by_order * (p != 3) - by_rank * (r != 16) + rng.permutation(SMALL) / 10)
         for (r, p), label in cells.items()},
    )  # fmt: skip
    claim = claims_of(store)[1]["f"]
    assert claim.verdict("meld").value == verdict
    assert "of 12 differences" in claim.parts[0].judgement.sentence


@pytest.mark.parametrize(
    ("changes", "protocol", "words"),
    [
        ({"dataset": "meld-sim"}, None, "on simulated data: no verdict on the paper, and no published figure"),
        ({}, None, "on features that are not the published ones: no verdict on the paper"),
        ({"published": True}, None, "taken from css-released after a refit on all training data, which is not here"),
        ({"published": True}, "refit", "checked for css-released after a refit, on the published features"),
    ],
)
def test_what_the_verdicts_are_about_is_said(tmp_path: Path, add_run, edit_json, changes, protocol, words: str):
    for label in ("css", "css-released", "released/adam"):
        run = {"dataset": "iemocap", "label": label} | changes
        folder = add_run(tmp_path / "store", **run)
        if protocol:
            spec = json.loads((folder / "spec.json").read_text())
            origin = {"group": spec["group"], "budget": spec["budget"], "epochs": {spec["key"]: 7}, "mean": 7.0}
            add_run(tmp_path / "store", **run, protocol=protocol, refit_of=origin, shift=0.1)
    evidence, claims = claims_of(tmp_path / "store")
    assert words in scope(evidence[0].comparison)
    text = str(claims_table(evidence, tuple(claims.values())).listings)
    assert ("after a refit" in claims["a′"].parts[0].label) == (protocol == "refit")
    assert ("75.42" in text) == (protocol == "refit" and "dataset" not in changes)
