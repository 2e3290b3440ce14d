"""Two-class monologues with text and audio, in CMU-MOSI's shape, through every command."""

import json
from pathlib import Path

import pytest

from benchmark.data.datasets import dataset
from tests.benchmark.building.monologues import write_monologues, write_table
from tests.benchmark.harness import Say

SMALL = ("--preset", "smoke", "--epochs", 1, "--seeds", 1, "--methods", "css,adam", "--device", "cpu")


@pytest.mark.filterwarnings("ignore")
def test_monologues_are_built_audited_run_reported_locked_verified_and_compared(tmp_path: Path, say: Say) -> None:
    write_monologues(tmp_path)
    store, lock = tmp_path / "store", tmp_path / "grid.lock"
    where = ("--store", store, "--data-dir", tmp_path)
    assert say("data", "build", "--from", tmp_path, "--name", "mosi")[0] == 0
    file = tmp_path / "mosi.safetensors"

    code, out, err = say("data", "audit", file)
    assert code == 0, err
    assert "no defects" in out
    assert "mosi, 2 classes of its own, settings of meld" in " ".join(out.split())

    code, out, err = say("run", *SMALL, "--datasets", file, "--store", store, "--workers", 1)
    assert code == 0, err
    assert "A corpus of its own (mosi)" in out
    specs = [json.loads(path.read_text()) for path in store.glob("runs/*/spec.json")]
    assert {(spec["dataset"], spec["provenance"]["data"]) for spec in specs} == {
        ("mosi", dataset("mosi", tmp_path).fingerprint)
    }
    assert [spec["inputs"]["modalities"] for spec in specs] == [["text", "audio"]] * 2

    page = (store / "report" / "report.md").read_text()
    assert "> **mosi: mosi.safetensors, a corpus of its own, text + audio only. No score is comparable" in page
    assert "– not testable: it is about iemocap and meld" in page
    assert "on a corpus that is not the paper's: no verdict on the paper" in page
    assert "negative" in page
    assert "real-own" in (store / "report" / "tables" / "leaderboard.csv").read_text()

    assert say("lock", "--out", lock, *SMALL, "--datasets", "mosi", "--data-dir", tmp_path)[0] == 0
    assert sorted(run["key"] for run in json.loads(lock.read_text())["runs"]) == sorted(spec["key"] for spec in specs)
    code, _, err = say("run", "--locked", lock, *where)
    assert code == 0, err
    code, out, _ = say("verify", specs[0]["key"], *where, "--workers", 1)
    assert (code, "the same bits" in out) == (0, True)
    code, _, err = say("verify", specs[0]["key"], "--store", store)
    assert code == 2
    assert "mosi.safetensors in the folder of --data-dir" in " ".join(err.split())

    test = dataset("mosi", tmp_path).load().where("test")
    rows = [(name, i, "positive") for name, n in zip(test.ids, test.lengths, strict=True) for i in range(n)]
    (tmp_path / "theirs").mkdir()
    write_table(tmp_path / "theirs", rows, ("conversation", "utterance", "predicted"))
    theirs = (tmp_path / "theirs" / "utterances.csv", "--method", "SDT", "--dataset", "mosi", "--seed", 0)
    code, out, err = say("import-predictions", *theirs, *where)
    assert code == 0, err
    assert "1 of 1 run imported" in out

    code, out, err = say("tune", *SMALL[:4], "--seeds", 1, "--dataset", file, "--methods", "css", "--trials", 1,
                         "--store", store, "--workers", 1, "--device", "cpu")  # fmt: skip
    assert code == 0, err
    assert f"--datasets mosi --data-dir {tmp_path}" in out + err
