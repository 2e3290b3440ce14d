"""Methods under the same search: curves against enumeration, and whether the search was the same."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.figures import style
from reports.reading.runs import read_store
from reports.tuning.budgets import FairComparison, fair_comparison, verdicts
from reports.tuning.figures_budget import fair
from reports.tuning.subjects import collect
from reports.tuning.tables_budget import scores_by_budget
from tests.reports.tuning.synthetic_studies import DROPOUT, LR, ORDER, trial, write_study

SPACE = {"lr": LR, "dropout": DROPOUT}
DEFAULT = {"lr": 1e-4, "dropout": 0.5}
DRAWN = 4


def scores(label: str, study: int) -> tuple[list[float], list[float]]:
    """Validation and test score of the default and of every drawn trial, one seed alike for all."""
    rng = np.random.default_rng([study, len(label)])
    ahead = 0.02 if label == "css" else 0.0
    validation = [0.60 + ahead, *(0.55 + ahead + 0.1 * rng.random(DRAWN))]
    return validation, [0.50 + ahead, *(0.45 + ahead + 0.1 * rng.random(DRAWN))]


def write(store: Path, label: str, study: int, draws: int | None = None, **changes: Any) -> None:
    rng = np.random.default_rng(study if draws is None else draws)
    settings = [DEFAULT, *({"lr": 1e-3 * (i + 1), "dropout": float(rng.random() / 2)} for i in range(DRAWN))]
    trials = [
        trial(i, params, [v] * 3, tests=[t] * 3)
        for i, (params, v, t) in enumerate(zip(settings, *scores(label, study), strict=True))
    ]
    write_study(
        store, f"iemocap-sim/{label}/quick/fair-{study}", trials, SPACE, **{
            "label": label, "sampler": "random", "fair": {"group": "g", "index": study, "of": 3}, "default": DEFAULT,
        } | changes
    )  # fmt: skip


@pytest.fixture
def same(tmp_path: Path) -> Path:
    for label in ("adam", "css"):
        for study in range(3):
            write(tmp_path, label, study)
    return tmp_path


def held(store: Path) -> FairComparison:
    (group,) = collect(store, read_store(store), None)[0]
    found = fair_comparison(group)
    assert found is not None
    return found


def enumerated(label: str, study: int, k: int) -> tuple[float, float]:
    validation, test = (np.array(column[1:]) for column in scores(label, study))
    chosen = [max(subset, key=lambda i: validation[i]) for subset in combinations(range(DRAWN), k)]
    return float(validation[chosen].mean()), float(test[chosen].mean())


def test_curves_are_those_of_enumeration_without_the_default_setting(same: Path):
    found = held(same)
    assert [curves.label for curves in found.methods] == ["css", "adam"]  # the method under test first
    assert found.n == DRAWN
    for curves in found.methods:
        for study in range(3):
            for k in range(1, DRAWN + 1):
                expected = enumerated(curves.label, study, k)
                reached = curves.validation[study, k - 1], curves.test[study, k - 1]
                assert reached == pytest.approx(expected, abs=1e-12)
    assert found.methods[0].default == pytest.approx((0.62, 0.52))


def test_differences_are_paired_by_study(same: Path):
    found = held(same)
    first = [100 * (enumerated("css", s, 2)[1] - enumerated("adam", s, 2)[1]) for s in range(3)]
    difference = found.difference(found.methods[1], 2, "test")
    assert (difference.n, difference.mean) == (3, pytest.approx(np.mean(first)))
    assert difference.sd == pytest.approx(np.std(first, ddof=1))


def test_a_study_that_is_missing_is_not_paired_with_another(same: Path):
    next((same / "studies").glob("*adam-quick-fair-1-*")).unlink()
    found = held(same)
    own = [100 * (enumerated("css", s, 1)[0] - enumerated("adam", s, 1)[0]) for s in (0, 2)]
    difference = found.difference(found.methods[1], 1, "validation")
    assert (difference.n, difference.mean) == (2, pytest.approx(np.mean(own)))
    assert found.remarks[0].startswith("The same in all methods")  # study by study


def test_a_fair_comparison_says_that_it_is_one(same: Path):
    assert held(same).remarks == [
        "The same in all methods: 1000000, 1000001, 1000002 as seeds, 4 drawn trials a study, and the ranges and draws "
        "of the shared parameters (dropout, lr)."
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"draws": 99}, "the draws of dropout"),
        ({"seeds": [1_000_000]}, "the seeds"),
        ({"space": {"lr": LR | {"high": 1e-1}, "dropout": DROPOUT}}, "the range of lr"),
        ({"space": {"lr": LR, "order": ORDER}}, None),
    ],
)
def test_an_unfair_one_says_what_differs(same: Path, edit_json, changes: dict[str, Any], found: str | None):
    write_as = {name: value for name, value in changes.items() if name != "space"}
    for study in range(3):
        write(same, "concat", study, **write_as)
        if "space" in changes:
            (path,) = (same / "studies").glob(f"*concat-quick-fair-{study}-*.json")
            edit_json(path, space=changes["space"])
    remark = held(same).remarks[0]
    if found is None:  # what one method alone has is not shared
        assert remark.endswith("of the shared parameters (lr).")
    else:
        assert remark == f"NOT the same in all methods: {found}."


def test_what_is_missing_or_lost_is_said(tmp_path: Path):
    for label in ("css", "adam"):
        for study in range(2):
            write(tmp_path, label, study)
    lost = trial(9, {"lr": 2e-3, "dropout": 0.1}, []) | {"state": "failed", "values": None}
    trials = [trial(0, DEFAULT, [0.6] * 3), trial(1, {"lr": 1e-3, "dropout": 0.2}, [0.5] * 3), lost]
    write_study(
        tmp_path, "iemocap-sim/adam/quick/fair-0", trials, SPACE, label="adam", sampler="random",
        fair={"group": "g", "index": 0, "of": 3}, default=DEFAULT,
    )  # fmt: skip
    found = held(tmp_path)
    assert found.n == 1
    assert found.remarks[0].startswith("NOT the same in all methods: the number of trials (2 to 4)")
    assert found.remarks[1:] == [
        "Unfinished: a method has 2 of 3 studies.",
        "Fewer than 3 independent studies a method: what follows is one outcome, not an estimate.",
        "1 drawn trial is pruned or failed and in no curve, which flatters the method that lost them.",
    ]


def test_whether_a_gain_is_only_tuning_is_answered_with_equal_and_unequal_budgets(same: Path):
    found = held(same)
    gain, reached = verdicts(found)
    assert gain.startswith("css − adam in test F1: 2.00 points with default settings, ")
    assert gain.endswith("with the best of 4 drawn trials each (mean over 3 studies).")
    curve = [np.mean([enumerated("adam", s, k)[0] for s in range(3)]) for k in range(1, DRAWN + 1)]
    first = next(k for k, value in enumerate(curve, start=1) if value > 0.62)
    assert f"with the best of {first}: by so much tuning alone." in reached


def test_the_table_and_figure_of_budgets_show_every_method_at_every_budget(same: Path):
    found = held(same)
    sheet = scores_by_budget(found, found.remarks)
    (listing,) = sheet.listings
    assert [row[:2] for row in listing.rows] == [
        (label, settings)
        for label in ("css", "adam")
        for settings in ("default", "best of 1", "best of 2", "best of 4")
    ]
    assert listing.rows[2][2:4] == ("60", "0.03")  # epochs and hours: 2 trials of 3 runs with 10 epochs and 20 s
    frame = sheet.frame
    assert list(frame["k"]) == [1, 2, 3, 4] * 2
    at = frame[(frame["method"] == "adam") & (frame["k"] == 3)].iloc[0]
    assert at["test"] == pytest.approx(np.mean([enumerated("adam", s, 3)[1] for s in range(3)]))
    assert (at["epochs"], at["seconds"], at["studies"]) == (90, 180, 3)
    with style.drawing():
        drawing = fair(found, style.Palette(["css", "adam"]))
    left, right = drawing.figure.axes
    assert "not used by the search" in right.get_title(loc="left")
    assert left.lines[0].get_ydata() == pytest.approx(100 * found.methods[0].validation.mean(axis=0))


def test_a_study_without_a_drawn_trial_has_no_curve_yet(same: Path):
    write_study(
        same, "iemocap-sim/concat/quick/fair-0", [trial(0, DEFAULT, [0.6] * 3)], SPACE, label="concat",
        sampler="random", fair={"group": "g", "index": 0, "of": 3}, default=DEFAULT,
    )  # fmt: skip
    (group,) = collect(same, read_store(same), None)[0]
    assert fair_comparison(group) is None


def test_the_default_setting_is_one_trial_of_a_method_with_several_studies(same: Path):
    subject = next(s for s in collect(same, read_store(same), None)[1] if s.first.label == "css")
    assert len(subject.trials) == 1 + 3 * DRAWN
    best = max((v, s, i) for s in range(3) for i, v in enumerate(scores("css", s)[0]))
    assert subject.best is not None
    assert subject.called(subject.best) == f"{best[1]}:{best[2]}"
    assert subject.name == "iemocap-sim/css/quick, 3 fair studies"
