"""``cssbench import-predictions``: runs of the store, and what its other commands make of them."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

import benchmark
from benchmark.data.conversations import Conversations
from benchmark.data.datasets import dataset
from benchmark.evaluation.predictions import storing
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.checksums import damage
from benchmark.store.copying import Copied, copy
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.synthetic import write_run

Predict = Callable[..., pd.DataFrame]
Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def imports(tmp_path: Path, features: Path, store: Store, say: Say) -> Import:
    """``imports(frame, *options)`` writes the frame as CSV and imports it as SDT's."""

    def call(frame: pd.DataFrame, *options: object, method: str = "SDT", into: Store = store) -> tuple[int, str, str]:
        file = tmp_path / "sdt.csv"
        frame.to_csv(file, index=False)
        where = ("--dataset", "meld", "--data-dir", features, "--store", into.root)
        return say("import-predictions", file, "--method", method, *where, *options)

    return call


def held(store: Store) -> dict[str, Any]:
    return {spec["key"]: spec for spec in store.specs()}


def test_predictions_become_a_scored_run(imports: Import, store: Store, predict: Predict, meld: Conversations) -> None:
    code, said, _ = imports(predict(), "--seed", 3, "--selection", "test", "--paired")
    assert code == 0
    assert "1 of 1 run imported" in said
    assert "how their epoch was chosen: test, so they can lose" in said
    ((key, spec),) = held(store).items()
    folder, truth, predicted = store.folder(key), meld.where("test").label, predict()["predicted"]
    result, manifest = (json.loads((folder / f"{name}.json").read_text()) for name in ("result", "manifest"))

    assert (spec["protocol"], spec["label"], spec["seed"]) == ("imported", "SDT", 3)
    assert spec["imported"]["selection"] == "test"
    assert spec["imported"]["paired"] is True
    assert not {"training", "encoder", "fusion"} & spec.keys()
    scores = result["imported"]
    assert scores["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert scores["weighted_f1"] == pytest.approx(f1_score(truth, predicted, average="weighted", zero_division=0))
    unknown = ("selected", "last", "peak_test", "validation")
    assert [result[name] for name in unknown] == [None] * 4
    assert [scores[name] for name in ("nll", "ece", "brier")] == [None] * 3
    assert manifest["imported_from"]["file"] == "sdt.csv"
    assert {p.name for p in folder.iterdir()} == {*storing.FILES, "result.json"}
    assert damage(folder) is None
    table = pd.read_parquet(folder / "predictions.parquet")
    assert table["predicted"].tolist() == predicted.tolist()
    assert table["label"].tolist() == truth.tolist()  # type: ignore[union-attr]


def test_probabilities_give_the_scores_that_need_them(
    imports: Import, store: Store, predict: Predict, meld: Conversations
) -> None:
    truth = meld.where("test").label
    assert truth is not None
    sure = predict().assign(**{f"probability_{c}": (truth == c).astype(float) for c in range(7)})
    code, said, _ = imports(sure, "--seed", 0)
    assert code == 0
    assert "not the most probable; the scores are of what is predicted" in said
    (key,) = held(store)
    scores = json.loads((store.folder(key) / "result.json").read_text())["imported"]
    assert (scores["nll"], scores["brier"]) == (0.0, 0.0)
    assert scores["accuracy"] < 1


def test_the_same_file_again_changes_nothing(imports: Import, store: Store, predict: Predict) -> None:
    many = pd.concat([predict(s).assign(seed=s) for s in range(3)])
    imports(many)
    before = {p: p.stat().st_mtime_ns for p in store.runs.rglob("*")}
    code, said, _ = imports(many)
    assert code == 0
    assert "0 of 3 runs imported" in said
    assert {p: p.stat().st_mtime_ns for p in store.runs.rglob("*") if p in before} == before
    assert len(held(store)) == 3


def test_other_predictions_of_a_seed_are_refused_unless_they_replace(
    imports: Import, store: Store, predict: Predict
) -> None:
    imports(predict(0), "--seed", 0)
    (first,) = held(store)
    both = pd.concat([predict(s + 1).assign(seed=s) for s in (0, 1)])
    for frame, options in ((both, ()), (predict(0), ("--seed", 0, "--selection", "test"))):
        code, _, said = imports(frame, *options)
        assert code == 2
        assert f"(run {first}): nothing was imported; --replace" in said
        assert set(held(store)) == {first}
    assert imports(both, "--replace")[0] == 0
    assert first not in held(store)
    assert sorted(spec["seed"] for spec in held(store).values()) == [0, 1]
    assert imports(predict(0), "--seed", 0, method="M3NET")[0] == 0


def test_the_same_predictions_are_not_two_seeds(imports: Import, store: Store, predict: Predict) -> None:
    code, _, said = imports(pd.concat([predict().assign(seed=s) for s in (0, 1)]))
    assert (code, "seeds 0 and 1 have the same predictions" in said) == (2, True)
    imports(predict(), "--seed", 0)
    code, _, said = imports(predict(), "--seed", 1)
    assert (code, "has these very predictions of SDT as seed 0" in said) == (2, True)
    assert len(held(store)) == 1
    assert imports(predict(), "--seed", 1, method="M3NET")[0] == 0


def test_an_import_into_a_store_without_runs_is_told_how_to_see_it_and_what_to_put_beside_it(
    imports: Import, predict: Predict
) -> None:
    said = imports(predict(), "--seed", 0)[1]
    assert "Next: cssbench report --store" in said
    assert "come beside it by cssbench run --datasets meld --data-dir" in said


def test_classes_in_another_order_are_noticed_and_the_order_that_fits_is_named(
    imports: Import, predict: Predict, meld: Conversations
) -> None:
    order = [1, 2, 3, 4, 5, 6, 0]  # theirs: number k means the data set's class order[k]
    frame = predict().assign(predicted=[order.index(c) for c in meld.where("test").label.tolist()])  # type: ignore[union-attr]
    _, _, said = imports(frame, "--seed", 0)
    assert "is below that of always saying" in said
    present = set(meld.where("test").label.tolist())  # type: ignore[union-attr]
    named = said.partition("In the order ")[2].partition(" it would be")[0].split(", ")
    assert all(named[k] == meld.class_names[c] for k, c in enumerate(order) if c in present)
    assert "it would be 100.00" in said
    assert "below" not in imports(predict(), "--seed", 1)[2]


def test_nothing_is_lost_when_a_replacement_is_cut_off(
    imports: Import, store: Store, predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(predict(0), "--seed", 0)
    (first,) = held(store)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(storing, "with_checksums", cut_off)
        assert imports(predict(1), "--seed", 0, "--replace")[0] != 0
    assert store.is_whole(first)
    (second,) = held(store).keys() - {first}
    assert not store.is_complete(second)
    assert imports(predict(1), "--seed", 0, "--replace")[0] == 0
    assert set(held(store)) == {second}
    assert store.is_whole(second)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("css", "is a method of this suite (css)"),
        (
            "CSS",
            "is a method of this suite (css); give what is imported a name of its own, for example 'CSS (authors)'",
        ),
        ("concat+pgm", "is a method of this suite"),
        ("a,b", "give a name of at most 60 letters"),
        ("a:b", "give a name"),
        ("", "give a name"),
    ],
)
def test_names_that_are_ours_or_none_are_refused(
    imports: Import, store: Store, predict: Predict, method: str, said: str
) -> None:
    code, _, error = imports(predict(), "--seed", 0, method=method)
    assert code == 2
    assert said in error
    assert not store.root.exists()


@pytest.mark.parametrize("method", ["CSS (authors)", "SDT+PGM", "MM-DFN [rerun]"])
def test_other_names_are_taken(imports: Import, predict: Predict, method: str) -> None:
    assert imports(predict(), "--seed", 0, method=method)[0] == 0


def test_a_damaged_import_is_noticed_and_made_again(imports: Import, store: Store, predict: Predict, say: Say) -> None:
    imports(predict(), "--seed", 0)
    (key,) = held(store)
    (store.folder(key) / "predictions.parquet").write_bytes(b"torn")
    assert say("verify", key, "--files", "--store", store.root)[0] == 1
    assert "1 of 1 run imported" in imports(predict(), "--seed", 0)[1]
    assert store.is_whole(key)


def test_verify_says_that_an_import_cannot_be_executed(
    imports: Import, store: Store, predict: Predict, say: Say
) -> None:
    imports(predict(), "--seed", 0)
    (key,) = held(store)
    code, _, said = say("verify", key, "--store", store.root)
    assert code == 2
    assert "cannot be verified: it was imported, so there is nothing here to execute again" in said
    code, said, _ = say("verify", "--all", "--store", store.root)
    assert code == 0
    assert "imported: its files are whole" in said


def test_the_commands_of_the_store_know_imports(
    imports: Import, store: Store, predict: Predict, say: Say, tmp_path: Path
) -> None:
    imports(predict(), "--seed", 0)
    (key,) = held(store)
    (row,) = json.loads(say("runs", "--store", store.root, "--json")[1])
    assert row["protocol"] == "imported"
    assert row["weighted_f1"] > 0
    assert "0 runs would be removed" in say("store", "prune", "--outdated", "--store", store.root)[1]
    assert say("store", "move", "--method", "SDT", "--store", store.root, "--into", tmp_path / "other")[0] == 0
    assert not held(store)
    assert Store(tmp_path / "other").is_whole(key)
    assert say("store", "prune", "--preset", "imported", "--yes", "--store", tmp_path / "other")[0] == 0
    assert not held(Store(tmp_path / "other"))


def test_merging_never_gives_a_seed_two_imports(
    imports: Import, store: Store, predict: Predict, tmp_path: Path
) -> None:
    other = Store(tmp_path / "other")
    imports(predict(0), "--seed", 0)
    imports(predict(1), "--seed", 0, into=other)
    (key,) = held(other)
    assert copy(key, other, store) is Copied.CONFLICT
    shutil.rmtree(store.root)
    store.prepare()
    assert copy(key, other, store) is Copied.DONE
    assert copy(key, other, store) is Copied.THERE


def test_a_family_may_name_an_import(
    imports: Import, store: Store, predict: Predict, say: Say, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(predict(), "--seed", 0)
    (spec,) = held(store).values()
    monkeypatch.setattr("benchmark.execution.coordinator.run_grid", lambda *_, **__: Counter())
    words = ("run", "--preset", "smoke", "--methods", "css,adam", "--seeds", "1", "--datasets", "meld")
    where = ("--data-dir", features, "--store", store.root)
    say(*words, "--contrasts", "css:SDT", *where)
    (family,) = (json.loads(path.read_text()) for path in store.root.glob("preregistrations/*.json"))
    (comparison,) = family["comparisons"]
    assert comparison["b"] == {"label": "SDT", "group": spec["group"]}
    assert say(*words, "--contrasts", "css:M3NET", *where)[0] == 2

    imports(predict(1), "--seed", 1, "--selection", "test")
    code, _, said = say(*words, "--contrasts", "css:SDT", *where)
    assert (code, "with more than one --selection or --paired" in said) == (2, True)


def test_a_grids_report_has_the_imports_on_its_data(
    imports: Import, store: Store, predict: Predict, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(predict(), "--seed", 0)
    (theirs,) = held(store)
    (spec,) = expand(load_preset("smoke"), [dataset("meld", features)], ["css"], [0])
    write_run(store.runs, spec.key, **spec.record() | {"key": spec.key})
    shown: list[set[str]] = []
    monkeypatch.setattr("benchmark.workflows.run.write_report", lambda store, out, keys, listener: shown.append(keys))
    outcome = benchmark.run(
        datasets="meld", methods="css", seeds=[0], preset="smoke", data_dir=features, store=store.root, device="cpu"
    )
    assert (outcome.failed, outcome.interrupted) == (0, False)
    assert shown == [{spec.key, theirs}]


@pytest.fixture
def whole(predict: Predict) -> pd.DataFrame:
    """Three epochs of two seeds."""
    return pd.concat(
        [predict(10 * seed + epoch).assign(seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (1, 2, 3)]
    )


def validation_of(tmp_path: Path, *scores: float, picked: int = 0) -> Path:
    """A file of the validation scores that both seeds share."""
    epochs = range(1, len(scores) + 1)
    rows = [(s, e, f1, int(e == picked)) for s in (0, 1) for e, f1 in zip(epochs, scores, strict=True)]
    names = ["seed", "epoch", "validation_weighted_f1", "picked"]
    pd.DataFrame(rows, columns=names).to_csv(file := tmp_path / "validation.csv", index=False)
    return file


def test_whole_runs_are_scored_at_every_choice_of_the_epoch(
    imports: Import, store: Store, whole: pd.DataFrame, meld: Conversations, tmp_path: Path
) -> None:
    truth = meld.where("test").label
    by_epoch = {key: rows["predicted"].tolist() for key, rows in whole.groupby(["seed", "epoch"])}
    test = {key: f1_score(truth, row, average="weighted", zero_division=0) for key, row in by_epoch.items()}
    code, said, _ = imports(whole, "--validation", validation_of(tmp_path, 0.2, 0.5, 0.4, picked=3))
    assert code == 0
    assert f"seed 0: weighted F1 {100 * test[0, 2]:.2f} at epoch 2, the best on validation" in said
    assert f"picked by its authors {100 * test[0, 3]:.2f} at epoch 3" in said
    assert "their epoch is the best on validation data, chosen here" in said
    for spec in held(store).values():
        folder, seed = store.folder(spec["key"]), spec["seed"]
        result = json.loads((folder / "result.json").read_text())
        peak = max((1, 2, 3), key=lambda epoch: test[seed, epoch])
        for name, epoch in (("selected", 2), ("last", 3), ("peak_test", peak), ("picked", 3)):
            shown = (result[name]["epoch"], result[name]["weighted_f1"])
            assert shown == (epoch, pytest.approx(test[seed, epoch])), name
        assert result["validation"] == {"epoch": 2, "weighted_f1": 0.5}
        assert result["imported"] == {name: v for name, v in result["selected"].items() if name != "epoch"}
        assert [result["imported"][name] for name in ("nll", "ece", "brier")] == [None] * 3
        assert spec["imported"]["selection"] == "validation"
        assert spec["imported"]["epochs"] == 3
        assert {p.name for p in folder.iterdir()} == {*storing.FILES, *storing.BY_EPOCH, "result.json"}
        assert damage(folder) is None
        assert pd.read_parquet(folder / "history.parquet")["validation_weighted_f1"].tolist() == [0.2, 0.5, 0.4]
        kept = pd.read_parquet(folder / "test_predictions.parquet")
        assert [kept[f"epoch_{e}"].tolist() for e in (1, 2, 3)] == [by_epoch[seed, e] for e in (1, 2, 3)]


def test_whole_runs_again_change_nothing_and_other_scores_need_replace(
    imports: Import, store: Store, whole: pd.DataFrame, tmp_path: Path
) -> None:
    imports(whole, "--validation", validation_of(tmp_path, 0.2, 0.5, 0.4))
    former = set(held(store))
    assert "0 of 2 runs imported" in imports(whole, "--validation", validation_of(tmp_path, 0.2, 0.5, 0.4))[1]
    other = validation_of(tmp_path, 0.2, 0.3, 0.4)
    assert imports(whole, "--validation", other)[0] == 2
    assert set(held(store)) == former
    assert imports(whole, "--validation", other, "--replace")[0] == 0
    assert not former & set(held(store))


def test_a_whole_run_under_another_seed_is_refused_and_a_choice_on_test_has_no_place_in_it(
    imports: Import, store: Store, whole: pd.DataFrame, tmp_path: Path
) -> None:
    scores = validation_of(tmp_path, 0.2, 0.5, 0.4)
    imports(whole, "--validation", scores)
    again = whole[whole["seed"] == 0].assign(seed=7)
    pd.DataFrame({"epoch": [1, 2, 3], "validation_weighted_f1": [0.1, 0.2, 0.3]}).to_csv(scores, index=False)
    code, _, said = imports(again, "--validation", scores)
    assert (code, "has these very predictions of SDT as seed 0" in said) == (2, True)
    code, _, said = imports(again[again["epoch"] == 2].drop(columns="epoch"))  # as a file of one epoch, likewise
    assert (code, "has these very predictions of SDT as seed 0" in said) == (2, True)
    code, _, said = imports(again, "--validation", scores, "--selection", "test")
    assert (code, "of whole runs the best validation score selects the epoch" in said) == (2, True)
    assert len(held(store)) == 2


def test_classes_of_a_whole_run_in_another_order_are_noticed(
    imports: Import, whole: pd.DataFrame, meld: Conversations, tmp_path: Path
) -> None:
    order = [1, 2, 3, 4, 5, 6, 0]
    rotated = [order.index(c) for c in meld.where("test").label.tolist()]  # type: ignore[union-attr]
    frame = whole.copy()
    frame.loc[(frame["epoch"] == 2) & (frame["seed"] == 1), "predicted"] = rotated
    said = imports(frame, "--validation", validation_of(tmp_path, 0.2, 0.5, 0.4))[2]
    assert "SDT, seed 1: weighted F1" in said
    assert "In the order " in said
