"""Refits stand beside the validated runs they come from; the published protocol is shown and compared with nothing."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports import build
from reports.evidence.comparisons import compare, published
from reports.evidence.evidence import collect
from reports.inference.contrasts import infer
from reports.inference.findings import findings
from reports.reading.runs import Run, read_store
from reports.tables.accuracy import accuracy
from tests.reports.pages import of_data_set

LABEL = "published protocol: best test epoch, no result"
WriteRun = Callable[..., Path]


def add_refits(
    store: Path, add_run: WriteRun, label: str, epochs: int, mean: float, seeds: int = 3, **settings: Any
) -> None:
    of = next(r for r in read_store(store).runs if (r.dataset, r.label, r.protocol) == ("meld", label, "validated"))
    origin = {"group": of.group, "budget": of.budget, "epochs": {of.key: epochs}, "mean": mean}
    for seed in range(seeds):
        add_run(store, "meld", label, seed, epochs=epochs, protocol="refit", refit_of=origin, **settings)


def result(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.folder / "result.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def refitted(store: Path, add_run: WriteRun) -> Path:
    """css and adam refitted on meld, each for its own number of epochs; css without seed 2."""
    add_refits(store, add_run, "css", 5, 4.6, seeds=2)
    add_refits(store, add_run, "adam", 7, 7.0)
    return store


def test_a_refit_is_the_last_epoch_of_the_same_seed_beside_the_selected_one(refitted: Path) -> None:
    runs = read_store(refitted).runs
    comparisons, omitted = compare(runs)
    (meld,) = [c for c in comparisons if c.dataset == "meld"]
    evidence = collect(meld)
    of = {(r.label, r.seed, r.protocol): result(r) for r in runs if r.dataset == "meld"}

    assert omitted == ()
    assert [(m.label, len(m.runs), len(m.refits)) for m in meld.methods] == [
        ("css", 3, 2), ("adam", 3, 3), ("concat", 3, 0)
    ]  # fmt: skip
    for label in ("css", "adam"):
        for score in ("weighted_f1", "accuracy", "macro_f1"):
            found = evidence.values(label, f"refit_{score}")
            for seed, value in found.dropna().items():
                assert value == of[label, seed, "refit"]["last"][score]
            selected = evidence.values(label, f"selected_{score}")
            assert list(selected) == [of[label, s, "validated"]["selected"][score] for s in range(3)]
    assert np.isnan(evidence.values("css", "refit_weighted_f1")[2])

    frame = accuracy(evidence).frame.set_index("method")
    assert frame["refit_weighted_f1_n"].to_dict() == {"css": 2, "adam": 3, "concat": 0}
    assert frame["selected_weighted_f1_n"].to_dict() == {"css": 3, "adam": 3, "concat": 3}
    assert np.isnan(frame["refit_weighted_f1_mean"]["concat"])


@pytest.mark.usefixtures("undrawn")
def test_the_page_says_what_a_refit_is_and_from_which_epochs(refitted: Path, tmp_path: Path) -> None:
    build(refitted, tmp_path / "out")
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    meld, simulated = of_data_set(page, "meld"), of_data_set(page, "iemocap-sim")

    assert "epochs css 5 (mean selected 4.6), adam 7 (mean selected 7.0)" in meld
    assert "Not every run has a refit: css (2 of 3), concat (0 of 3)" in meld
    assert "refit (beside published numbers): weighted F1" in meld
    assert "refit (beside" not in simulated
    assert "mean selected" not in simulated
    assert "23 complete runs shown" in page


@pytest.mark.usefixtures("undrawn")
def test_refits_change_no_number_of_the_validated_runs(store: Path, add_run: WriteRun, tmp_path: Path) -> None:
    build(store, tmp_path / "before")
    add_refits(store, add_run, "css", 5, 5.0)
    build(store, tmp_path / "after")
    for file in (tmp_path / "before" / "tables").glob("*.csv"):
        before, after = (pd.read_csv(tmp_path / when / "tables" / file.name) for when in ("before", "after"))
        kept = [name for name in before if not name.startswith("refit_")]
        pd.testing.assert_frame_equal(before[kept], after[kept])


def test_of_two_refits_the_newest_is_shown_and_none_averaged_with_it(refitted: Path, add_run: WriteRun) -> None:
    add_refits(refitted, add_run, "adam", 6, 6.2, created="2026-02-02T00:00:00+00:00")
    comparisons, omitted = compare(read_store(refitted).runs)
    (adam,) = [m for c in comparisons for m in c.methods if (c.dataset, m.label) == ("meld", "adam")]

    assert [run.spec["training"]["epochs"] for run in adam.refits] == [6, 6, 6]
    assert [(o.dataset, o.runs, o.methods) for o in omitted] == [("meld", 3, ("adam",))]


def test_refits_without_their_validated_runs_are_listed_and_not_shown(refitted: Path) -> None:
    runs = [r for r in read_store(refitted).runs if (r.label, r.protocol) != ("adam", "validated")]
    comparisons, omitted = compare(runs)

    assert {run.label for c in comparisons for run in c.refits} == {"css"}
    (left,) = omitted
    assert (left.runs, left.methods) == (3, ("adam",))
    assert "runs that are not shown" in left.differences[0]


@pytest.fixture
def with_published(store: Path, add_run: WriteRun) -> Path:
    """The newest runs of meld are under the published protocol."""
    for label in ("css", "adam"):
        add_run(store, "meld", label, 10068, protocol="published", created="2027-01-01T00:00:00+00:00")
    return store


def test_the_published_protocol_displaces_and_joins_no_comparison(with_published: Path) -> None:
    runs = read_store(with_published).runs
    comparisons, omitted = compare(runs)
    shown, others = published(runs)

    assert {run.protocol for c in comparisons for run in c.runs} == {"validated"}
    assert sum(len(c.runs) for c in comparisons) == 18
    assert omitted == others == ()
    (one,) = shown
    assert (one.name, one.validated, len(one.runs)) == ("meld, published protocol", False, 2)
    (sentence,) = findings(collect(one), infer([], ()))
    assert sentence.lower().startswith(LABEL)


def test_what_there_is_not_is_missing_and_never_zero(with_published: Path) -> None:
    (one,), _ = published(read_store(with_published).runs)
    frame = collect(one).runs
    missing = [name for name in frame if frame[name].isna().all()]

    assert {"selected_weighted_f1", "refit_weighted_f1", "gap", "late_validation_f1_sd"} <= set(missing)
    for (_, row), run in zip(frame.iterrows(), one.runs, strict=True):
        assert row["peak_test_weighted_f1"] == result(run)["peak_test"]["weighted_f1"]
        assert row["last_weighted_f1"] == result(run)["last"]["weighted_f1"]
        assert row["diverged"] == 0


@pytest.mark.usefixtures("undrawn")
def test_the_page_of_the_published_protocol_is_labelled(with_published: Path, tmp_path: Path) -> None:
    build(with_published, tmp_path / "out")
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    validated, shown = of_data_set(page, "meld"), of_data_set(page, "meld, published protocol")

    assert LABEL not in validated
    assert shown.lower().count(LABEL) == 2
    assert "css − adam" in validated
    assert "css − adam" not in shown
    assert "selected (the result)" not in shown
    assert "peak test (never a result): weighted F1" in shown
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    ids = [part.partition('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert 'id="accuracy-meld,-published-protocol"' in html
    assert not re.search(r"\bnan\b", page)
    table = pd.read_csv(tmp_path / "out" / "tables" / "accuracy.csv")
    by_protocol = table.groupby("protocol")["selected_weighted_f1_mean"].count()
    assert by_protocol.to_dict() == {"validated": 6, "published": 0}


def test_a_store_of_the_published_protocol_alone_has_a_report(tmp_path: Path, add_run: WriteRun) -> None:
    add_run(tmp_path / "store", "meld", "css", 10068, protocol="published")
    build(tmp_path / "store", tmp_path / "out")
    assert LABEL in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_runs_that_do_not_say_their_protocol_are_validated(store: Path) -> None:
    for file in store.glob("runs/*/spec.json"):
        spec = json.loads(file.read_text(encoding="utf-8"))
        del spec["protocol"], spec["refit_of"]
        file.write_text(json.dumps(spec), encoding="utf-8")
    comparisons, omitted = compare(read_store(store).runs)
    assert (sum(len(c.runs) for c in comparisons), omitted) == (18, ())


@pytest.mark.parametrize(
    ("file", "changes", "said"),
    [
        ("spec.json", {"protocol": "best"}, "protocol is 'best'"),
        ("spec.json", {"protocol": "refit", "refit_of": None}, "refit_of is None, not a dict"),
        ("spec.json", {"protocol": "refit", "refit_of": {}}, "refit_of.group is missing"),
        ("spec.json", {"protocol": "published"}, "selected is {"),
        ("result.json", {"selected": None}, "selected is None, not a dict"),
    ],
)
def test_protocol_and_result_that_do_not_fit_are_damage(
    store: Path, edit_json: Callable[..., None], file: str, changes: dict[str, Any], said: str
) -> None:
    edit_json(edited := next(store.glob(f"runs/*/{file}")), **changes)
    stored = read_store(store)
    assert list(stored.damaged) == [edited.parent.name]
    assert said in stored.damaged[edited.parent.name]
    assert len(stored.runs) == 17
