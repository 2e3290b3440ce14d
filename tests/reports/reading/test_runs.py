import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from reports import ReportError
from reports.evidence.comparisons import compare
from reports.evidence.evidence import collect
from reports.reading.runs import read_store


def test_only_complete_runs_are_read(store: Path, add_run):
    (add_run(store, seed=8) / "result.json").unlink()
    failed = add_run(store, seed=9)
    (failed / "result.json").unlink()
    (failed / "error.txt").write_text("Traceback ...\nValueError: boom\n\n", encoding="utf-8")
    records = read_store(store)
    assert (len(records.runs), records.unfinished) == (18, 1)
    (only,) = records.failed
    assert (only.key, only.name, only.error) == (failed.name, "iemocap-sim, css, seed 9", "ValueError: boom")


def test_a_run_that_failed_before_and_is_complete_now_counts_as_complete(store: Path):
    folder = next((store / "runs").iterdir())
    (folder / "error.txt").write_text("an earlier attempt", encoding="utf-8")
    records = read_store(store)
    assert (len(records.runs), records.failed) == (18, ())


def test_keys_restrict_what_is_read(store: Path):
    keys = sorted(path.name for path in (store / "runs").iterdir())[:2]
    assert [run.key for run in read_store(store, keys).runs] == keys


def test_frames_are_read_only_when_asked_for(store: Path):
    for path in (store / "runs").glob("*/*.parquet"):
        path.unlink()
    runs = read_store(store).runs
    with pytest.raises(ReportError, match=r"steps\.parquet"):
        runs[0].frame("steps", ["step"])


@pytest.mark.parametrize("keys", [None, ["0" * 16]])
def test_nothing_to_report_is_said_with_its_remedy(tmp_path: Path, keys: list[str] | None):
    with pytest.raises(ReportError, match="cssbench run"):
        read_store(tmp_path, keys)
    with pytest.raises(ReportError, match="no run store at"):
        read_store(tmp_path / "absent", keys)


@pytest.mark.parametrize("name", ["spec.json", "manifest.json", "result.json"])
@pytest.mark.parametrize("text", ["{", "[]", "{}", "\udcff"])
def test_a_damaged_document_is_named(store: Path, name: str, text: str):
    folder = next((store / "runs").iterdir())
    (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    records = read_store(store)
    (lost,) = records.failed
    assert (len(records.runs), lost.key, list(records.damaged)) == (17, folder.name, [folder.name])
    assert (lost.seed is None) == (name == "spec.json"), "what the run is can be read where that file is whole"
    assert re.search(rf"{folder.name}/{name}.*delete .*{folder.name} and run again", lost.error)


def test_a_store_of_damaged_runs_alone_is_refused_with_the_first(store: Path):
    for file in (store / "runs").glob("*/result.json"):
        file.write_text("")
    first = min((store / "runs").iterdir())
    with pytest.raises(ReportError, match=rf"cannot use {first}/result.json"):
        read_store(store)


@pytest.mark.parametrize("name", ["", "spec.json", "manifest.json", "result.json", "error.txt"])
def test_what_is_a_link_is_not_followed(store: Path, tmp_path: Path, name: str):
    folder = next((store / "runs").iterdir())
    if name == "error.txt":
        (folder / "result.json").unlink()
        (tmp_path / "elsewhere").write_text("a secret")
    else:
        (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    records = read_store(store)
    assert len(records.runs) == 17
    assert [run.key for run in records.failed] == [folder.name]
    assert "a secret" not in records.failed[0].error


def test_a_table_that_is_a_link_is_not_followed(store: Path, tmp_path: Path):
    run = read_store(store).runs[0]
    (run.folder / "steps.parquet").rename(tmp_path / "elsewhere")
    (run.folder / "steps.parquet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReportError, match=r"steps.parquet: it is a symbolic link"):
        run.frame("steps", ["step"])


@pytest.mark.parametrize("name", ["steps", "history", "conflict"])
def test_a_damaged_frame_is_named(store: Path, name: str):
    (comparison, *_), _ = compare(read_store(store).runs)
    path = comparison.runs[0].folder / f"{name}.parquet"
    for damage in (lambda: path.write_bytes(b"PAR1"), lambda: pd.DataFrame({"x": [1]}).to_parquet(path), path.unlink):
        damage()
        with pytest.raises(ReportError, match=rf"{name}\.parquet"):
            collect(comparison)


def test_another_format_is_refused(store: Path, edit_json):
    edit_json(next((store / "runs").iterdir()) / "spec.json", format=2)
    with pytest.raises(ReportError, match="has format 2, this version reads 1"):
        read_store(store)


def test_one_seed_never_counts_twice(store: Path, edit_json):
    folder = next((store / "runs").iterdir())
    copy = folder.with_name("0" * 16)
    shutil.copytree(folder, copy)
    assert "key is" in read_store(store).damaged[copy.name]
    edit_json(copy / "spec.json", key=copy.name)
    with pytest.raises(ReportError, match="same group and seed"):
        read_store(store)


def test_null_is_unknown_and_a_missing_number_is_damage(store: Path, edit_json):
    folder = next((store / "runs").iterdir())
    edit_json(folder / "result.json", peak_memory=None)
    run = next(run for run in read_store(store).runs if run.folder == folder)
    assert run.number("peak_memory") != run.number("peak_memory")
    with pytest.raises(ReportError, match=r"selected\.nothing is missing"):
        run.number("selected", "nothing")


def test_methods_are_grouped_and_budgets_never_mixed(store: Path, add_run):
    old = "2025-06-01T00:00:00Z"  # before the fixture's runs, though written after them
    for seed in (0, 1):
        add_run(store, "meld", "css", seed, epochs=2, hidden=16, preset="smoke", created=old)
    shown, omitted = compare(read_store(store).runs)
    assert [c.dataset for c in shown] == ["meld", "iemocap-sim"]  # real data first
    for comparison in shown:
        assert [m.label for m in comparison.methods] == ["css", "adam", "concat"]
        assert all(len({run.group for run in m.runs}) == 1 for m in comparison.methods)
        assert {run.budget for run in comparison.runs} == {comparison.budget}
        assert all([run.seed for run in m.runs] == [0, 1, 2] for m in comparison.methods)
    (other,) = omitted
    assert (other.dataset, other.runs, other.methods) == ("meld", 2, ("css",))
    assert {"preset: smoke (shown: quick)", "epochs: 2 (shown: 8)", "hidden: 16 (shown: 64)"} <= set(other.differences)


def test_the_newest_budget_is_shown_and_other_data_named(store: Path, add_run):
    add_run(store, "meld", "css", 0, fingerprint="e" * 64, created="2026-02-01T00:00:00+00:00")
    shown, omitted = compare(read_store(store).runs)
    assert len(shown[0].runs) == 1
    (other,) = omitted
    assert other.runs == 9
    assert other.differences == (f"data: {'d' * 12}, meld_features.pkl (shown: {'e' * 12}, meld_features.pkl)",)


def test_two_groups_under_one_label_stay_two_methods(store: Path, edit_json):
    run = next(run for run in read_store(store).runs if run.dataset == "meld" and run.label == "adam")
    edit_json(run.folder / "spec.json", group="f" * 16)
    shown, _ = compare(read_store(store).runs)
    labels = [m.label for m in shown[0].methods]
    assert len(labels) == 4
    assert "adam [ffffff]" in labels
