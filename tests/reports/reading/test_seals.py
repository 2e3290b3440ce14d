"""A run with a file that is not what its checksum says is named, and in no number of a report."""

import hashlib
import json
from pathlib import Path

import pytest

from reports.analysis import analyse
from reports.reading.runs import read_store
from reports.reading.seals import seal
from tests.reports.synthetic_runs import write_run


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A store of four runs with checksums, as docs/run-format.md has them."""
    for label in ("css", "adam"):
        for seed in range(2):
            folder = write_run(tmp_path / "store", "meld", label, seed, epochs=3)
            result = json.loads((folder / "result.json").read_text())
            names = sorted(path.name for path in folder.iterdir() if path.name != "result.json")
            result["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
            result["checksum"] = hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
            (folder / "result.json").write_text(json.dumps(result, indent=1))
    return tmp_path / "store"


def test_a_whole_store_is_read(sealed: Path) -> None:
    stored = read_store(sealed)
    assert (len(stored.runs), stored.failed) == (4, ())


@pytest.mark.parametrize(
    "name", ["result", "spec", "manifest", "steps", "history", "conflict", "predictions", "test_predictions"]
)
def test_one_flipped_bit_leaves_a_run_out_by_name(sealed: Path, name: str) -> None:
    folder = min((sealed / "runs").iterdir())
    (file,) = folder.glob(f"{name}.*")
    content = file.read_bytes()
    place = content.index(b'"weighted_f1": 0.') + 17 if name == "result" else len(content) // 2
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    analysis = analyse(sealed)
    assert len(analysis.stored.runs) == 3
    assert list(analysis.stored.damaged) == [folder.name]
    said = analysis.stored.damaged[folder.name]
    assert f"cannot use {file}: it is not what its checksum says; delete {folder} and run again" in said
    assert [run.key for run in analysis.stored.failed] == [folder.name]


def test_a_result_that_names_a_file_elsewhere_is_damaged(sealed: Path) -> None:
    (sealed / "secret").write_text("private")
    folder = min((sealed / "runs").iterdir())
    result = json.loads((folder / "result.json").read_text())
    result["files"]["../../secret"] = hashlib.sha256(b"private").hexdigest()
    result["checksum"] = seal(result)
    (folder / "result.json").write_text(json.dumps(result))
    assert "it names '../../secret', which is no file of the folder" in read_store(sealed).damaged[folder.name]
