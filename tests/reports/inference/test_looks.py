"""Families that are followed until they are decided: what a look decides, and what reports say of it."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from reports.errors import NothingToJudgeError, ReportError
from reports.inference.claims import check_claims
from reports.inference.looks import check_looks, take_look
from reports.reading.preregistration import read_preregistrations
from reports.reading.runs import read_store
from reports.statistics import Verdict
from tests.reports.inference.preregistrations import declare, follow, inferred, set_f1, write_declared

LOOKS = (8, 10, 12)
RNG = np.random.default_rng(0)
ADAM = 0.6 + 0.01 * RNG.normal(size=12)
NOISE = 0.004 * RNG.normal(size=(3, 12))
SCORES = {
    ("meld", "adam"): list(ADAM),
    ("meld", "css"): list(ADAM + 0.05 + NOISE[0]),
    ("meld", "concat"): list(ADAM + 0.05 + NOISE[1]),
    ("meld", "tensor"): list(ADAM + 0.03 + 4 * NOISE[2]),
}
PAIRS = [("meld", "css", other) for other in ("adam", "concat", "tensor")]


@pytest.fixture
def store(tmp_path: Path, add_run, edit_json) -> Path:
    """meld: four methods × 12 seeds; css beats adam, is about like concat, and tensor is between."""
    for label, seed in product(("css", "adam", "concat", "tensor"), range(12)):
        add_run(tmp_path / "store", "meld", label, seed, epochs=2)
    set_f1(tmp_path / "store", edit_json, SCORES)
    return tmp_path / "store"


def test_the_looks_decide_what_the_report_says(store: Path) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    looks = follow(store, path)
    assert [look["seeds"] for look in looks] == list(LOOKS)
    _, inference = inferred(store)
    by_rival = {contrast.b: contrast for contrast in inference.contrasts}
    adam = by_rival["adam"]
    assert (adam.judgement.verdict, adam.comparison.n) == (Verdict.SUPPORTED, 8)
    first = looks[0]["comparisons"][0]
    low, high = (f"{first[limit]:.2f}" for limit in ("low", "high"))
    assert f"[{low}, {high}] over all looks, |t| = {first['t']:.2f} against {first['boundary']:.2f} at look 1 of 3" in (
        adam.judgement.sentence
    )
    assert adam.interval == pytest.approx((first["low"], first["high"]))
    assert adam.interval.low < adam.comparison.interval.low
    assert np.isnan(adam.p_adjusted)
    decided = {c["b"]["label"]: (c["decision"], c["seeds"]) for c in looks[-1]["comparisons"]}
    for rival, (_, seeds) in decided.items():
        assert by_rival[rival].comparison.n == seeds
        assert by_rival[rival].standing.counts == f"{seeds} / {seeds} / 0"


def test_claims_use_the_decisions_and_other_measures_are_exploratory(store: Path) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    follow(store, path)
    claims = {claim.id: claim for claim in check_claims(*inferred(store))}
    parts = {part.label: part for claim in claims.values() for part in claim.parts}
    whole = parts["css − adam, weighted F1"]
    assert (whole.judgement.verdict, whole.exploratory) == (Verdict.SUPPORTED, False)
    assert "over all looks" in whole.judgement.sentence
    assert parts["css − adam, accuracy"].exploratory


def test_between_looks_there_is_no_verdict_yet(store: Path) -> None:
    declare(store, PAIRS[0], looks=(10, 12, 20), seeds=range(20), margin=2.0)
    _, inference = inferred(store)
    assert inference.contrasts[0].judgement.verdict is Verdict.NOT_TESTABLE_YET
    assert "the look at 10 seeds is to come" in inference.contrasts[0].judgement.sentence


def test_a_comparison_whose_runs_are_missing_or_hopeless_is_withdrawn(store: Path, edit_json) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    for run in read_store(store).runs:
        if (run.label, run.seed) == ("concat", 3):
            (run.folder / "result.json").unlink()
            (run.folder / "error.txt").write_text("Traceback", encoding="utf-8")
        if (run.label, run.seed) == ("tensor", 9):
            edit_json(run.folder / "result.json", diverged=True)
    first, second, *_ = follow(store, path)
    assert [c["reason"] for c in first["comparisons"]] == ["", "1 of 8 runs of concat are missing", ""]
    if first["comparisons"][2]["decision"] is None:
        assert second["comparisons"][2]["reason"] == "1 of 10 runs of tensor learned nothing"
    _, inference = inferred(store)
    concat = next(c for c in inference.contrasts if c.b == "concat")
    assert concat.judgement.verdict is Verdict.NOT_TESTABLE
    assert "withdrawn at the look at 8 seeds: 1 of 8 runs of concat are missing" in concat.judgement.sentence


def test_runs_that_are_the_same_are_withdrawn(tmp_path: Path, add_run) -> None:
    store = tmp_path / "store"
    for label, seed in product(("css", "adam"), range(8)):
        add_run(store, "meld", label, seed, epochs=2, weights=f"{seed:064x}")
    path = declare(store, ("meld", "css", "adam"), looks=(8, 12), seeds=range(12))
    (look,) = follow(store, path)
    assert "they are the same runs" in look["comparisons"][0]["reason"]
    assert inferred(store)[1].contrasts[0].judgement.verdict is Verdict.NOT_TESTABLE


def test_where_no_comparison_has_its_runs_nothing_is_judged(store: Path) -> None:
    path = declare(store, *PAIRS, looks=(8, 20), seeds=range(5, 25), margin=2.0)
    with pytest.raises(NothingToJudgeError, match="at 8 seeds: 1 of 8 runs of css are missing"):
        take_look(store, path.stem)


def test_looks_that_are_taken_again_are_the_same(store: Path) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    looks = follow(store, path)
    assert check_looks(store) == {path.stem: (len(looks), "")}
    assert take_look(store, path.stem) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decision": "futile"}, "at 8 seeds, meld: css − adam was futile, and is rejected by its runs"),
        ({"t": 5.0}, "at 8 seeds, meld: css − adam has t 5, and 33"),
        ({"boundary": 2.0}, "at 8 seeds, meld: css − adam has boundary 2, and"),
    ],
)
def test_a_look_that_does_not_follow_from_its_runs_is_found(store: Path, change: dict[str, object], message: str):
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    follow(store, path)
    file = store / "looks" / path.stem / "8.json"
    content = json.loads(file.read_text())
    content["comparisons"][0] |= change
    file.write_text(json.dumps(content))
    assert message in check_looks(store)[path.stem][1]


def test_runs_that_were_replaced_after_a_look_are_noticed(store: Path, edit_json) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    follow(store, path)
    (store / "looks" / path.stem / "12.json").unlink()
    set_f1(store, edit_json, {("meld", "adam"): SCORES["meld", "css"]})
    with pytest.raises(ReportError, match="runs were replaced after the look"):
        take_look(store, path.stem)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 3}, "format 3, this version reads 1"),
        ({"comparisons": []}, "0 comparisons, 3 were declared"),
        ({"seeds": "8"}, "seeds is '8'"),
        ({"taken": "yesterday"}, "Invalid isoformat"),
    ],
)
def test_a_damaged_look_is_named(store: Path, change: dict[str, object], message: str) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    follow(store, path)
    look = store / "looks" / path.stem / "8.json"
    look.write_text(json.dumps(json.loads(look.read_text()) | change))
    with pytest.raises(ReportError, match=message):
        read_preregistrations(store)


def test_a_look_that_is_missing_is_named(store: Path) -> None:
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    follow(store, path)
    (store / "looks" / path.stem / "8.json").unlink()
    with pytest.raises(ReportError, match="put back the file that is missing"):
        read_preregistrations(store)


def test_a_comparison_that_was_left_open_is_judged_by_the_later_looks(store: Path) -> None:
    """The second plan has the open comparison, and of the error what the first has not spent."""
    first = declare(store, *PAIRS, looks=(8, 20), seeds=range(20), margin=2.0)
    (look,) = follow(store, first, most=1)
    assert look["comparisons"][2]["decision"] is None
    later = declare(store, PAIRS[2], looks=(10, 12), seeds=range(12), margin=2.0)
    content = json.loads(later.read_text()) | {"continues": first.stem, "alpha": 0.05 - look["spent"]}
    later.unlink()
    later = write_declared(store, content)
    looks = follow(store, later)
    _, inference = inferred(store)
    tensor = next(c for c in inference.contrasts if c.b == "tensor")
    assert not tensor.remark
    assert tensor.followed is not None
    assert tensor.followed.design.alpha == pytest.approx(0.05 - look["spent"])
    assert tensor.comparison is not None
    assert tensor.comparison.n == looks[-1]["comparisons"][0]["seeds"]
    assert "error that the earlier ones had left" in inference.declarations["meld"]
    adam = next(c for c in inference.contrasts if c.b == "adam")
    assert adam.judgement.verdict is Verdict.SUPPORTED


def test_what_was_declared_is_under_the_hash_that_names_it(store: Path) -> None:
    path = declare(store, *PAIRS, margin=0.5)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"declared": "2020-01-01T00:00:00+00:00"}, indent=4))
    assert read_preregistrations(store)[0].margin == 0.5, "the time and the layout are in no hash"
    path.write_text(json.dumps(content | {"margin": 4.5}))
    with pytest.raises(ReportError, match=f"cannot use {path}: its name is the hash of its content, which is now"):
        read_preregistrations(store)


def test_a_damaged_run_that_a_look_may_lack_stops_it(store: Path) -> None:
    """A comparison without its runs is withdrawn for good."""
    path = declare(store, *PAIRS, looks=LOOKS, margin=2.0)
    run = next(run for run in read_store(store).runs if (run.dataset, run.label, run.seed) == ("meld", "adam", 3))
    whole = (run.folder / "spec.json").read_text()
    (run.folder / "spec.json").write_text(whole[:50])
    with pytest.raises(ReportError, match=rf"cannot use {run.folder}/spec.json.* run again"):
        take_look(store, path.stem)
    (run.folder / "spec.json").write_text(whole)
    assert take_look(store, path.stem) is not None
