"""Studies as they are read, drawn and told: numbers against ones made by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from reports import ReportError
from reports.figures import style
from reports.reading.runs import read_store
from reports.statistics import summarize
from reports.tuning import figures, tables
from reports.tuning.budgets import course
from reports.tuning.importance import importances
from reports.tuning.studies import Parameter, read_studies
from reports.tuning.subjects import Subject, collect, cost_of, score
from tests.reports.synthetic_runs import write_run
from tests.reports.tuning.synthetic_studies import (
    DROPOUT,
    F1,
    LR,
    ORDER,
    RANK,
    choices,
    searched,
    trial,
    write_study,
)

GRID = {"rank": choices(2, 16), "order": choices(1, 3)}
STUDY = "iemocap-sim/css/quick"


def subjects(store: Path) -> tuple[Subject, ...]:
    return collect(store, read_store(store), None)[1]


def grid(store: Path) -> Path:
    """Of four cells two are complete, one was pruned and one never visited; one trial failed."""
    trials = [
        trial(0, {"rank": 16, "order": 3}, [0.60, 0.62, 0.64], tests=[0.5, 0.5, 0.5]),
        trial(1, {"rank": 2, "order": 3}, [0.70, 0.71, 0.72], tests=[0.4, 0.5, 0.6]),
        trial(2, {"rank": 2, "order": 1}, [0.90]) | {"state": "pruned", "values": None},
        trial(3, {"rank": 16, "order": 3}, []) | {"state": "failed", "values": None},
    ]
    return write_study(store, STUDY, trials, GRID, sampler="grid")


def test_cells_show_mean_sd_and_n_of_complete_trials_with_the_default_framed(tmp_path: Path):
    grid(tmp_path)
    (subject,) = subjects(tmp_path)
    with style.drawing():
        drawing = figures.rank_order(subject)
    assert drawing is not None
    (axes,) = drawing.figure.axes
    texts = {(round(t.get_position()[0] - 0.5), int(t.get_position()[1])): [] for t in axes.texts}
    for t in axes.texts:
        texts[round(t.get_position()[0] - 0.5), int(t.get_position()[1])].append(t.get_text())
    # columns: ranks 2 and 16; rows: orders 1 and 3; what was pruned has no number
    assert texts == {(1, 1): ["62.0", "± 2.0, n 3"], (0, 1): ["71.0", "± 1.0, n 3"]}
    boxes = [p for p in axes.patches if isinstance(p, Rectangle)]
    assert sorted(p.get_xy() for p in boxes if p.get_hatch()) == [(0.02, 0.02), (1.02, 0.02)]
    (frame,) = [p for p in boxes if p.get_linewidth() == 3]
    assert frame.get_xy() == (1, 1)
    assert [t.get_text() for t in axes.get_xticklabels()] == ["2", "16"]
    assert "Frame: the default setting (preset quick)" in drawing.caption


def test_a_wide_range_of_ranks_is_shown_by_powers_of_two(tmp_path: Path):
    space = {"rank": RANK, "order": ORDER}
    ranks = (3, 2, 15, 128)
    trials = [trial(i, {"rank": rank, "order": 2}, [0.6, 0.6, 0.6]) for i, rank in enumerate(ranks)]
    write_study(tmp_path, STUDY, trials, space)
    (subject,) = subjects(tmp_path)
    with style.drawing():
        drawing = figures.rank_order(subject)
    assert drawing is not None
    (axes,) = drawing.figure.axes
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert labels == ["2–3", "4–7", "8–15", "16–31", "32–63", "64–127", "128"]
    shown = {labels[int(t.get_position()[0])]: t.get_text() for t in axes.texts if "n" in t.get_text()}
    assert shown == {"2–3": "± 0.0, n 6", "8–15": "± 0.0, n 3", "128": "± 0.0, n 3"}


def test_pruned_and_failed_trials_are_counted_and_averaged_nowhere(tmp_path: Path):
    grid(tmp_path)
    (subject,) = subjects(tmp_path)
    sheet = tables.best_settings(subject)
    frame = sheet.frame.set_index("trial")
    assert list(frame["state"]) == ["complete", "complete", "pruned", "failed"]
    assert frame["validation_mean"].isna().tolist() == [False, False, True, True]
    assert list(frame["runs"]) == [3, 3, 1, 0]
    assert sheet.sentences[0] == "4 trials: 2 complete, 1 pruned, 1 failed. Pruned trials are in no mean."
    assert subject.best is not None
    assert subject.best.number == 1  # though the pruned one began higher
    with style.drawing():
        drawing = figures.slices(subject)
    assert drawing is not None
    assert "×: 1 pruned, mean over the seeds they got before, in no mean" in drawing.caption


def test_the_best_setting_has_its_interval_with_the_warning_and_a_test_score_the_search_did_not_see(tmp_path: Path):
    grid(tmp_path)
    (subject,) = subjects(tmp_path)
    sheet = tables.best_settings(subject)
    expected = summarize(100 * np.array([0.70, 0.71, 0.72]))
    first, default = sheet.listings[0].rows
    assert first[:5] == ("1", "chosen", "2", "3", "3")
    assert first[5] == f"71.0 [{expected.low:.1f}, {expected.high:.1f}]"
    assert first[6].startswith("50.0 [")
    assert default[:2] == ("0", "default")
    assert sheet.listings[0].header[-1].text == "test (not used)"
    assert "winner's curse" in sheet.note
    assert "9.0 points above the default: optimistic, as the best of 2" in sheet.sentences[1]
    assert "not been run on other seeds" in sheet.sentences[-1]


def test_the_course_of_a_study_counts_all_costs_and_follows_the_best_validation_score(tmp_path: Path):
    values = [0.60, 0.55, None, 0.65, 0.62]
    trials = [
        trial(i, {"lr": 1e-4 * (i + 1)}, [v] * 3, tests=[0.5 - 0.01 * i] * 3)
        if v
        else trial(i, {"lr": 1e-4 * (i + 1)}, [0.9]) | {"state": "pruned", "values": None}
        for i, v in enumerate(values)
    ]
    trials.append(trial(5, {"lr": 2e-3}, [0.99] * 2) | {"state": "running", "values": None})
    write_study(tmp_path, STUDY, trials, {"lr": LR}, seconds=10.0)
    (subject,) = subjects(tmp_path)
    steps = course(subject, subject.first)
    assert [s.validation for s in steps] == pytest.approx([0.60, 0.60, 0.60, 0.65, 0.65])
    assert [s.test for s in steps] == pytest.approx([0.50, 0.50, 0.50, 0.47, 0.47])
    assert [s.spent.runs for s in steps] == [3, 6, 7, 10, 13]
    assert [s.spent.seconds for s in steps] == [30, 60, 70, 100, 130]
    assert [s.spent.epochs for s in steps] == [30, 60, 70, 100, 130]


def test_a_setting_that_is_drawn_again_costs_nothing_again(tmp_path: Path):
    trials = [trial(i, {"lr": 1e-4}, [0.6] * 3) for i in range(2)]
    write_study(tmp_path, STUDY, trials, {"lr": LR})
    (subject,) = subjects(tmp_path)
    assert (cost_of(subject.trials).trials, cost_of(subject.trials).runs) == (2, 3)


def test_importances_find_what_matters_and_are_the_same_again(tmp_path: Path):
    space = {"lr": LR, "dropout": DROPOUT}
    trials = searched(space, 40, lambda p: 0.6 - 0.05 * (np.log10(p["lr"]) + 3) ** 2, seed=1)
    write_study(tmp_path, STUDY, trials, space)
    (subject,), (again,) = subjects(tmp_path), subjects(tmp_path)
    found = importances(subject)
    assert set(found) == {"PED-ANOVA", "fANOVA"}
    for shares in found.values():
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["lr"] > 0.75
    assert importances(again) == found
    with style.drawing():
        drawing = figures.importance(subject)
    assert drawing is not None
    assert "exploratory" in drawing.title


def test_few_complete_trials_have_no_importances_and_no_contours(tmp_path: Path):
    space = {"lr": LR, "dropout": DROPOUT}
    pruned = [t | {"state": "pruned", "values": None} for t in searched(space, 30, lambda p: 0.6)[9:]]
    write_study(tmp_path, STUDY, searched(space, 30, lambda p: 0.6)[:9] + pruned, space)
    write_study(tmp_path, "other", searched(space, 19, lambda p: 0.6), space)
    few, less = subjects(tmp_path)
    assert importances(few) == {}
    assert figures.importance(few) is None
    assert figures.contours(less) is None


@pytest.mark.parametrize(("along", "drawn"), [(False, True), (True, False)])
def test_contours_need_trials_that_span_an_area(tmp_path: Path, along: bool, drawn: bool):
    space = {"lr": LR, "dropout": DROPOUT}
    trials = searched(space, 24, lambda p: 0.6 + 0.1 * p["dropout"])
    if along:
        trials = [t | {"params": t["params"] | {"dropout": 0.5}} for t in trials]
    write_study(tmp_path, STUDY, trials, space)
    (subject,) = subjects(tmp_path)
    with style.drawing():
        assert (figures.contours(subject) is not None) is drawn


def test_the_front_of_several_objectives_is_shown_and_none_of_its_trials_is_called_the_best(tmp_path: Path):
    values = [(0.60, 0.3), (0.65, 0.4), (0.55, 0.5), (0.50, 0.1)]
    trials = [
        trial(i, {"lr": 1e-4 * (i + 1), "dropout": 0.1 * i}, [f1] * 3) | {"values": [f1, volatility]}
        for i, (f1, volatility) in enumerate(values)
    ]
    objectives = (F1, {"name": "volatility", "direction": "minimize"})
    write_study(
        tmp_path, STUDY, trials, {"lr": LR, "dropout": DROPOUT}, objectives=objectives, front=[0, 1, 3], default={}
    )
    (subject,) = subjects(tmp_path)
    assert [t.number for t in subject.front] == [1, 0, 3]
    assert subject.best is None
    with style.drawing():
        drawing = figures.front(subject)
    assert drawing is not None
    (axes,) = drawing.figure.axes
    # from a point down, then along: never better than what was reached
    (staircase,) = (line for line in axes.lines if line.get_drawstyle() == "steps-pre")
    assert staircase.get_xydata().tolist() == [[0.4, 65.0], [0.3, 60.0], [0.1, 50.0]]
    sheet = tables.best_settings(subject)
    assert [row[:2] for row in sheet.listings[0].rows] == [("1", "front"), ("0", "front"), ("3", "front")]


def test_the_figure_to_quote_is_that_of_the_final_runs_paired_with_the_default_ones(tmp_path: Path):
    grid(tmp_path)
    tuned = {"study": STUDY, "base": {"lr": 1e-4}}
    for seed in range(3):
        write_run(tmp_path, seed=seed)
        write_run(tmp_path, seed=seed, epochs=3)  # of another budget: never beside them
        write_run(tmp_path, seed=seed, shift=0.02, tuned=tuned, training={"lr": 1e-3})
        write_run(
            tmp_path, seed=seed, shift=0.3, tuned=tuned, training={"lr": 1e-2}, created="2025-01-01T00:00:00+00:00"
        )
    records = read_store(tmp_path)
    (subject,) = collect(tmp_path, records, None)[1]
    ((_, final),) = subject.final
    assert {run.spec["training"]["lr"] for run in final.tuned} == {1e-3}  # the newest settings
    assert len(final.default) == 3

    def f1(lr: float) -> float:
        own = [r for r in records.runs if r.spec["training"]["lr"] == lr and r.spec["training"]["epochs"] == 8]
        return 100 * float(np.mean([r.number("selected", "weighted_f1") for r in own]))

    assert final.difference.mean == pytest.approx(f1(1e-3) - f1(1e-4))
    assert final.difference.n == 3
    sheet = tables.best_settings(subject)
    assert "over 3 common seeds. This is the figure to quote." in sheet.sentences[-1]
    assert [row[:3] for row in sheet.listings[1].rows] == [("tuned", "css [tuned]", "3"), ("default", "css", "3")]


def test_a_search_that_finds_nothing_better_says_so(tmp_path: Path):
    write_study(tmp_path, STUDY, [trial(i, {"lr": 1e-4 * (i + 1)}, [0.7 - 0.1 * i] * 3) for i in range(2)], {"lr": LR})
    (subject,) = subjects(tmp_path)
    assert "found nothing better on validation than the default" in tables.findings(subject)[1]
    assert len(tables.findings(subject)) == 2


def test_runs_that_are_gone_leave_the_validation_scores(tmp_path: Path):
    write_study(tmp_path, STUDY, [trial(0, {"lr": 1e-4}, [0.6, 0.7, 0.8])], {"lr": LR})
    study = read_studies(tmp_path)[0]
    subject = Subject((study,), {}, ())
    assert score(subject.complete[0]) == pytest.approx(0.7)
    assert np.isnan(subject.test(subject.complete[0]).mean)
    assert subject.data == "SIMULATED DATA (iemocap-sim)"
    assert any("3 runs of complete trials are no longer in the store" in s for s in tables.findings(subject))


def test_a_report_of_some_runs_shows_the_studies_that_they_belong_to(tmp_path: Path):
    grid(tmp_path)
    write_study(tmp_path, "unrelated", [trial(0, {"lr": 1e-4}, [0.6] * 3)], {"lr": LR}, label="adam")
    plain = write_run(tmp_path).name
    own = write_run(tmp_path, seed=1, tuned={"study": STUDY, "base": {}}).name
    of_trial = read_studies(tmp_path)[1].trials[0].runs[0].key

    def named(*keys: str) -> list[str]:
        return [s.name for s in collect(tmp_path, read_store(tmp_path, keys), keys)[1]]

    assert named(plain) == []
    assert named(plain, own) == [STUDY]
    assert named(of_trial) == ["unrelated"]
    (subject,) = collect(tmp_path, read_store(tmp_path, [own]), [own])[1]
    assert subject.test(subject.complete[0]).n == 3  # of runs that were not asked for


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"format": 2}, "has format 2, this version reads 1"),
        ({"trials": None}, "trials is None, not a list"),
        ({"objectives": [{"name": "seconds", "direction": "minimize"}]}, "first objective"),
        ({"space": {"lr": {"kind": "vector"}}}, "space.lr.kind is 'vector'"),
        ({"space": {"lr": {"kind": "float"}}}, "KeyError"),
        ({"fair": {"group": "a"}}, r"fair\.index is missing"),
        ({"trials": [{"number": 0, "state": "lost", "params": {}, "runs": [], "values": None}]}, "state 'lost'"),
        ({"trials": [{"number": 0, "state": "complete", "params": {}, "runs": [], "values": None}]}, "has values None"),
    ],
)
def test_a_damaged_study_is_named_with_its_remedy(tmp_path: Path, edit_json, change: dict[str, object], cause: str):
    path = write_study(tmp_path, STUDY, [], {"lr": LR})
    edit_json(path, **change)
    with pytest.raises(ReportError, match=f"{path.name}.*{cause}.*(delete it and call|delete the file)"):
        read_studies(tmp_path)


def test_values_are_placed_along_their_range():
    lr = Parameter("lr", "float", 1e-5, 1e-1, True, None, ())
    assert [lr.position(v) for v in (1e-5, 1e-3, 1e-1)] == pytest.approx([0, 0.5, 1])
    assert Parameter("dropout", "float", 0.0, 0.5, False, None, ()).position(0.1) == pytest.approx(0.2)
    kind = Parameter("norm", "categorical", 0, 0, False, None, ("a", "b", "c"))
    assert kind.position("b") == 0.5
    assert (kind.holds("d"), lr.holds(0.5), lr.holds(1e-5)) == (False, False, True)


def test_json_of_a_study_is_read_as_it_is_written(tmp_path: Path):
    path = grid(tmp_path)
    (study,) = read_studies(tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (study.name, study.seeds, study.sampler) == (STUDY, tuple(document["seeds"]), "grid")
    assert [t.number for t in study.drawn] == [1, 2, 3]
