"""What forbids a verdict: runs that learned nothing, are the same, failed, or are not there yet."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from reports.inference.claims import Claim, check_claims
from reports.inference.findings import findings
from reports.reading.runs import read_store
from reports.statistics import Verdict
from tests.reports.inference.preregistrations import BASE, SMALL, declare, evidence_of, inferred, set_f1

EIGHT = range(8)
GAIN = 0.03 + SMALL[:8]
EQUAL = {("meld", "css"): list(BASE[:8] + SMALL[:8]), ("meld", "adam"): list(BASE[:8])}
BETTER = EQUAL | {("meld", "css"): list(BASE[:8] + GAIN)}


@pytest.fixture
def pair(tmp_path: Path, add_run) -> Path:
    """meld: css and adam × 8 seeds."""
    for label, seed in product(("css", "adam"), EIGHT):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    return tmp_path / "store"


def claims(store: Path) -> dict[str, Claim]:
    return {claim.id: claim for claim in check_claims(*inferred(store))}


def fail(store: Path, label: str, *seeds: int) -> None:
    """Turn runs into failed ones."""
    for run in read_store(store).runs:
        if run.label == label and run.seed in seeds:
            (run.folder / "result.json").unlink()
            (run.folder / "error.txt").write_text("Traceback\nRuntimeError: out of memory", encoding="utf-8")


@pytest.mark.parametrize("scores", [EQUAL, BETTER])
@pytest.mark.parametrize("how", ["diverged", "majority", "no score"])
def test_runs_that_learned_nothing_are_neither_equal_nor_better(pair: Path, edit_json, scores, how: str):
    set_f1(pair, edit_json, scores)
    declare(pair, ("meld", "css", "adam"))
    for run in read_store(pair).runs:
        if run.label == "adam" and run.seed < 3:
            selected = dict(run.result["selected"])
            if how == "diverged":
                edit_json(run.folder / "result.json", diverged=True)
            else:  # 40 utterances of each of 7 classes: the majority class alone gives 2p²/(1 + p) = .0357
                edit_json(
                    run.folder / "result.json",
                    selected=selected | {"weighted_f1": 0.03 if how == "majority" else None},
                )
    evidence, inference = inferred(pair)
    (contrast,) = inference.contrasts
    assert contrast.judgement.verdict is contrast.spread_judgement.verdict is Verdict.NOT_TESTABLE
    assert "3 of 8 runs of adam learned nothing" in contrast.judgement.sentence
    assert contrast.judgement.numbers["n"] == (5 if how == "no score" else 8)
    assert contrast.judgement.sentence in findings(evidence[0], inference)
    found = claims(pair)
    assert found["b2"].verdict("meld") is found["e2"].verdict("meld") is Verdict.NOT_TESTABLE
    assert "3 of 8 runs of adam learned nothing" in found["b2"].parts[0].judgement.sentence


def test_a_claim_about_divergence_is_about_such_runs(tmp_path: Path, add_run, edit_json):
    store = tmp_path / "store"
    for label, seed in product(("css", "css-nosqrt"), EIGHT):
        folder = add_run(store, "meld", label, seed, epochs=2)
        edit_json(folder / "result.json", diverged=label == "css-nosqrt")
    parts = {part.label: part.judgement for part in claims(store)["d"].parts}
    assert parts["css − css-nosqrt, diverged runs"].verdict is Verdict.SUPPORTED
    assert "0 of 8 against 8 of 8" in parts["css − css-nosqrt, diverged runs"].sentence
    assert parts["css − css-nosqrt, runs with a spike"].verdict is Verdict.TOO_FEW_EVENTS
    assert claims(store)["c"].verdict("meld") is Verdict.NOT_TESTABLE


def test_without_divergence_there_are_too_few_events_and_nothing_is_equal(tmp_path: Path, add_run):
    for label, seed in product(("css", "css-nosqrt"), EIGHT):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    claim = claims(tmp_path / "store")["d"]
    parts = {part.label: part.judgement for part in claim.parts}
    judgement = parts["css − css-nosqrt, diverged runs"]
    assert judgement.verdict is Verdict.TOO_FEW_EVENTS
    assert "the true share may be up to 31 %" in judgement.sentence
    assert claim.verdict("meld") is not Verdict.SHOWN_EQUAL


def test_without_divergence_every_held_out_session_counts_once(tmp_path: Path, add_run):
    for label, seed in product(("css", "css-nosqrt"), EIGHT):
        add_run(tmp_path / "store", "iemocap", label, seed, epochs=2)
    parts = {part.label: part.judgement for part in claims(tmp_path / "store")["d"].parts}
    sentence = parts["css − css-nosqrt, diverged runs"].sentence
    assert "in 8 runs of 4 held-out sessions the true share may be up to 53 %" in sentence


def test_runs_that_are_the_same_to_the_bit_are_called_so(tmp_path: Path, add_run):
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), EIGHT):
        add_run(store, "meld", label, seed, epochs=2, weights=f"{seed:064x}")
    _, inference = inferred(store)
    (contrast,) = inference.contrasts
    assert contrast.judgement.verdict is Verdict.NOT_TESTABLE
    words = "these are the same runs: css and adam end with equal weights in all 8 seeds that both have"
    assert words in contrast.judgement.sentence
    found = claims(store)
    for name in ("b2", "e1", "e2"):
        assert found[name].verdict("meld") is Verdict.NOT_TESTABLE
        assert words in found[name].parts[0].judgement.sentence


def test_runs_that_differ_in_one_seed_are_two_methods(tmp_path: Path, add_run):
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), EIGHT):
        add_run(store, "meld", label, seed, epochs=2, weights=None if seed == 7 else f"{seed:064x}")
    assert "the same runs" not in inferred(store)[1].contrasts[0].judgement.sentence


def test_a_declared_family_that_is_not_complete_is_not_testable_yet(pair: Path, edit_json):
    set_f1(pair, edit_json, BETTER)
    declare(pair, ("meld", "css", "adam"), seeds=range(40))
    _, inference = inferred(pair)
    (contrast,) = inference.contrasts
    assert contrast.judgement.verdict is Verdict.NOT_TESTABLE_YET
    assert "8 of 40 declared seeds are there" in contrast.judgement.sentence
    assert contrast.standing.counts == "40 / 8 / 0"
    part = claims(pair)["b2"].parts[0]
    assert part.judgement.verdict is Verdict.NOT_TESTABLE_YET
    assert part.standing is not None
    assert part.standing.counts == "40 / 8 / 0"


@pytest.mark.parametrize("declared", [True, False])
def test_failed_runs_leave_no_verdict(tmp_path: Path, add_run, edit_json, declared: bool):
    """12 seeds of which css's four worst failed are no result, declared or not."""
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(12)):
        add_run(store, "meld", label, seed, epochs=2)
    spread = np.r_[GAIN, -0.1 * np.ones(4)]
    set_f1(store, edit_json, {("meld", "adam"): [0.6] * 12, ("meld", "css"): list(0.6 + spread)})
    if declared:
        declare(store, ("meld", "css", "adam"), seeds=range(12))
    fail(store, "css", 8, 9, 10, 11)
    _, inference = inferred(store)
    (contrast,) = inference.contrasts
    assert contrast.judgement.verdict is Verdict.NOT_TESTABLE
    assert "css failed in seeds 8–11" in contrast.judgement.sentence
    assert contrast.standing.counts == ("12 / 8 / 4" if declared else "— / 8 / 4")
    assert claims(store)["b2"].verdict("meld") is Verdict.NOT_TESTABLE
    assert claims(store)["e1"].verdict("meld") is Verdict.NOT_TESTABLE


def test_a_method_that_failed_altogether_is_said_to_have_failed(pair: Path):
    declare(pair, ("meld", "css", "adam"))
    fail(pair, "adam", *EIGHT)
    (contrast,) = inferred(pair)[1].contrasts
    assert "no finished run of adam (8 failed)" in contrast.judgement.sentence


def test_evidence_knows_which_runs_learned(pair: Path, edit_json):
    run = read_store(pair).runs[0]
    edit_json(run.folder / "result.json", diverged=True)
    (evidence,) = evidence_of(pair)
    assert evidence.values(run.label, "learned").loc[run.seed] == 0
    assert evidence.runs["learned"].sum() == 15
