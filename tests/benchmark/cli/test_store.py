"""``cssbench runs`` and ``cssbench store`` on made-up runs, in this process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.store.copying import Copied, copy
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.synthetic import rewrite_result, write_run

KEYS = ("1111000000000000", "1122000000000000", "3333000000000000", "4444000000000000")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two complete runs, a failed one, an unfinished one."""
    held = Store(tmp_path / "store")
    write_run(held.runs, KEYS[0])
    write_run(held.runs, KEYS[1], dataset="meld", seed=1)
    write_run(held.runs, KEYS[2], "failed", label="adam", method="spf+equal", preset="full")
    write_run(held.runs, KEYS[3], "unfinished", seed=1)
    return held


def content(store: Store) -> dict[str, bytes]:
    return {str(f.relative_to(store.runs)): f.read_bytes() for f in store.runs.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((), {0, 1, 2, 3}),
        (("--dataset", "meld"), {1}),
        (("--method", "css"), {0, 1, 3}),
        (("--method", "spf+equal"), {2}),
        (("--seed", "1"), {1, 3}),
        (("--preset", "full"), {2}),
        (("--state", "complete"), {0, 1}),
    ],
)
def test_filters_choose_runs(say: Say, store: Store, words: tuple[str, ...], chosen: set[int]) -> None:
    code, out, _ = say("runs", "--store", store.root, *words)
    assert code == 0
    assert {number for number, key in enumerate(KEYS) if key in out} == chosen
    rows = json.loads(say("runs", "--store", store.root, *words, "--json")[1])
    assert {row["key"] for row in rows} == {KEYS[number] for number in chosen}


def test_for_programs_no_run_is_an_empty_list(say: Say, store: Store) -> None:
    words = ("runs", "--store", store.root, "--state", "unfinished", "--seed", "0", "--json")
    assert say(*words)[:2] == (0, "[]\n")


def test_json_has_scores_as_fractions_and_null_where_there_is_none(say: Say, store: Store) -> None:
    rows = {row["key"]: row for row in json.loads(say("runs", "--store", store.root, "--json")[1])}
    result = json.loads((store.folder(KEYS[0]) / "result.json").read_text())
    assert rows[KEYS[0]]["weighted_f1"] == result["selected"]["weighted_f1"]
    assert rows[KEYS[2]] == {
        **{"key": KEYS[2], "dataset": "meld-sim", "method": "spf+equal", "label": "adam", "seed": 0},
        **{"preset": "full", "protocol": "validated", "test_session": None, "state": "failed", "weighted_f1": None},
    }


@pytest.mark.parametrize("form", [(), ("--json",), (KEYS[0],)])
@pytest.mark.parametrize("name", ["result.json", "spec.json"])
def test_a_run_with_other_values_than_were_written_is_named_and_left_out(
    say: Say, store: Store, name: str, form: tuple[str, ...]
) -> None:
    file = store.folder(KEYS[0]) / name
    digit = {"result.json": '"accuracy": 0.', "spec.json": '"seed": '}[name]
    before, _, after = file.read_text().partition(digit)
    file.write_text(f"{before}{digit}{9 - int(after[0])}{after[1:]}")
    code, out, err = say("runs", *form, "--store", store.root)
    assert code == (2 if KEYS[0] in form else 1)
    assert KEYS[0] not in out
    assert f"{name} is not what its checksum says" in err
    assert KEYS[0] in err


def test_one_run_is_shown_in_detail_by_the_beginning_of_its_key(say: Say, store: Store) -> None:
    details = json.loads(say("runs", "112", "--store", store.root, "--json")[1])
    assert (details["state"], details["spec"]["dataset"]) == ("complete", "meld")
    assert details["manifest"]["versions"]["torch"] == "2.9"
    out = say("runs", "3333", "--store", store.root)[1]
    assert "ValueError: no such thing" in out
    assert "meld-sim · adam · seed 0" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("runs", "11"), "2 runs begin with '11'"),
        (("runs", "9"), "no run begins with '9'"),
        (("runs", ""), "no run begins with ''"),
        (("runs", "--method", "foo", "--seed", "0"), "agrees with all of --method foo --seed 0"),
        (("runs", "--state", "done"), "--state is complete, failed or unfinished, not 'done'"),
        (("store", "prune"), "say which runs"),
        (("verify",), "name the runs to verify, or all of them with --all"),
        (("verify", "1111", "--all"), "name the runs to verify"),
        (("verify", "3333"), "run 3333000000000000 is not complete"),
        (("verify", "--all", "--sample", "0"), "--sample must be at least 1"),
        (("verify", "--all", "--tolerance", "-1"), "--tolerance must be at least 0"),
    ],
)
def test_wrong_usage_is_one_line(say: Say, store: Store, words: tuple[str, ...], message: str) -> None:
    code, _, err = say(*words, "--store", store.root)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_files_are_checked_without_executing_anything(say: Say, store: Store) -> None:
    code, out, _ = say("verify", "--all", "--files", "--store", store.root)
    assert (code, out.count("files are whole")) == (0, 2)
    (store.folder(KEYS[1]) / "steps.parquet").write_bytes(b"torn")
    code, out, _ = say("verify", "--all", "--files", "--store", store.root)
    assert code == 1
    assert f"{KEYS[1]} meld · css · seed 1: damaged: steps.parquet is not what its checksum says" in out
    assert out.count("files are whole") == 1


def test_a_sample_is_the_same_for_the_same_seed(say: Say, tmp_path: Path) -> None:
    held = Store(tmp_path / "many")
    for number in range(30):
        write_run(held.runs, f"{number:016x}")

    def sample(seed: int) -> list[str]:
        _, out, _ = say("verify", "--all", "--files", "--sample", 3, "--seed", seed, "--store", held.root)
        return [line.split()[0] for line in out.splitlines()]

    assert len(sample(0)) == 3
    assert sample(0) == sample(0) != sample(1)


def test_pruning_lists_and_only_with_yes_removes(say: Say, store: Store) -> None:
    before = content(store)
    words = ("store", "prune", "--state", "unfinished", "--store", store.root)
    code, out, _ = say(*words)
    assert (code, content(store)) == (0, before)
    assert f"{KEYS[3]} meld-sim · css · seed 1 (unfinished): would be removed" in out
    code, out, _ = say(*words, "--yes")
    assert (code, store.folder(KEYS[3]).exists()) == (0, False)
    assert {name.split("/")[0] for name in content(store)} == set(KEYS[:3])
    assert not (store.root / ".removed").exists()


def test_outdated_runs_are_those_of_other_source_or_versions(say: Say, store: Store) -> None:
    from benchmark.experiment.provenance import provenance

    write_run(store.runs, "5" * 16, provenance=provenance("d", "cpu").model_dump())
    _, out, _ = say("store", "prune", "--outdated", "--store", store.root)
    assert all(key in out for key in KEYS)
    assert "5" * 16 not in out
    write_run(store.runs, "6" * 16, provenance=provenance("d", "cpu").model_dump() | {"torch": "1.0"})
    assert "6" * 16 in say("store", "prune", "--outdated", "--store", store.root)[1]


def test_a_run_that_is_being_made_stays(say: Say, store: Store) -> None:
    with store.claim(KEYS[3]):
        _, out, _ = say("store", "prune", "--state", "unfinished", "--yes", "--store", store.root)
    assert f"{KEYS[3]} meld-sim · css · seed 1 (unfinished): being made, stays" in out
    assert "0 runs removed" in out
    assert store.folder(KEYS[3]).exists()


def test_a_claim_on_a_folder_that_was_removed_meanwhile_is_not_granted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def open_then_removed(path: Path, flags: int) -> int:
        descriptor = opened(path, flags)
        monkeypatch.setattr(os, "open", opened)
        assert store.remove(KEYS[3])
        return descriptor

    monkeypatch.setattr(os, "open", open_then_removed)
    with store.claim(KEYS[3]) as granted:
        assert not granted
    with store.claim(KEYS[3]) as granted:
        assert granted


def test_merging_copies_what_is_missing_and_leaves_the_sources(say: Say, store: Store, tmp_path: Path) -> None:
    other, into = Store(tmp_path / "other"), Store(tmp_path / "into")
    write_run(other.runs, KEYS[0])
    write_run(other.runs, "7" * 16)
    before = content(store), content(other)
    code, out, _ = say("store", "merge", store.root, other.root, "--into", into.root)
    assert (code, (content(store), content(other))) == (0, before)
    assert content(into) == before[0] | before[1]
    assert "6 runs merged into" in out
    assert "5 copied, 1 there already" in out
    assert "6 there already" not in out
    code, out, _ = say("store", "merge", store.root, other.root, "--into", into.root)
    assert content(into) == before[0] | before[1]


def test_runs_that_cannot_be_merged_are_named_and_left(say: Say, store: Store, tmp_path: Path) -> None:
    into = Store(tmp_path / "into")
    write_run(into.runs, KEYS[0])
    rewrite_result(into.folder(KEYS[0]), digests={"weights": "other"})
    write_run(into.runs, KEYS[3], "unfinished")
    (store.folder(KEYS[1]) / "history.parquet").write_bytes(b"torn")
    kept = content(into)
    code, out, _ = say("store", "merge", store.root, "--into", into.root)
    assert code == 1
    assert lines_with(out, "left out") == {
        f"{KEYS[0]} meld-sim · css · seed 0 in {store.root}: there already with other results: left out",
        f"{KEYS[1]} meld · css · seed 1 in {store.root}: damaged: left out",
        f"{KEYS[3]} meld-sim · css · seed 1 in {store.root}: unfinished in both: left out",
    }
    assert {name: into_bytes for name, into_bytes in content(into).items() if not name.startswith(KEYS[2])} == kept
    assert not into.folder(KEYS[1]).exists()
    assert say("store", "merge", store.root, "--into", store.root)[0] == 2


def lines_with(out: str, word: str) -> set[str]:
    return {line for line in out.splitlines()[:-1] if line.endswith(word)}


def test_a_finished_run_takes_the_place_of_an_unfinished_or_a_damaged_one(store: Store, tmp_path: Path) -> None:
    into = Store(tmp_path / "into")
    write_run(into.runs, KEYS[0], "unfinished")
    write_run(into.runs, KEYS[1])
    (into.folder(KEYS[1]) / "steps.parquet").write_bytes(b"torn")
    assert [copy(key, store, into) for key in KEYS[:2]] == [Copied.DONE, Copied.DONE]
    for key in KEYS[:2]:
        names = {f.name: f.read_bytes() for f in into.folder(key).iterdir()}
        assert names == {f.name: f.read_bytes() for f in store.folder(key).iterdir()}


def test_moving_removes_what_has_arrived(say: Say, store: Store, tmp_path: Path) -> None:
    into, before = Store(tmp_path / "into"), content(store)
    with store.claim(KEYS[2]):
        code, out, _ = say("store", "move", "--store", store.root, "--into", into.root)
    assert code == 1
    assert f"{KEYS[2]} meld-sim · adam · seed 0 in {store.root}: being made by another process: left out" in out
    assert {name.split("/")[0] for name in content(store)} == {KEYS[2]}
    assert content(into) | content(store) == before
    assert say("store", "move", "--store", store.root, "--into", into.root, "--method", "adam")[0] == 0
    assert content(into) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from benchmark.cli import main
step, words = int(sys.argv[1]), sys.argv[2:]
count = 0
def counted(function):
    def call(*arguments, **options):
        global count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
os.fsync = counted(os.fsync)
Path.replace, Path.rename, Path.unlink = map(counted, (Path.replace, Path.rename, Path.unlink))
os.unlink, os.rmdir = counted(os.unlink), counted(os.rmdir)
sys.argv = ["cssbench", *words]
main()
"""


def test_a_move_that_is_killed_anywhere_loses_nothing(store: Store, tmp_path: Path) -> None:
    """Killed at one step after another until it comes through: every run is whole in a store at every moment."""
    into, before = Store(tmp_path / "into"), content(store)
    words = ["store", "move", "--store", str(store.root), "--into", str(into.root)]
    kills = 0
    for attempt in range(50):
        step = str(2 + 5 * attempt)
        done = subprocess.run([sys.executable, "-c", KILLED, step, *words], capture_output=True, text=True)
        stores = content(store), content(into)
        for key in KEYS[:2]:
            files = [name for name in before if name.startswith(key)]
            assert any(all(held.get(name) == before[name] for name in files) for held in stores), (step, key)
            assert into.is_whole(key) or not into.is_complete(key), (step, key)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode in (0, 1), done.stderr
            assert not done.stderr
            break
        kills += 1
    assert kills >= 5
    arrived, finished = content(into), KEYS[:2]
    assert {name: arrived[name] for name in arrived if name[:16] in finished} == {
        name: before[name] for name in before if name[:16] in finished
    }
