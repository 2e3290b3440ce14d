"""A file of a finished run that is not what was written is noticed, whichever it is and wherever it is damaged."""

import json
import random
from pathlib import Path

import pytest

from benchmark.store.checksums import FILES, damage, has_checksums
from tests.benchmark.synthetic import write_run

KEY = "00000000000000aa"


@pytest.mark.parametrize("name", [*FILES, "result.json"])
@pytest.mark.parametrize("how", ["flipped", "torn", "empty", "absent"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, how: str) -> None:
    folder = write_run(tmp_path, KEY)
    assert damage(folder) is None
    file = folder / name
    whole = file.read_bytes()
    for place in random.Random(0).sample(range(len(whole)), 8):
        if how == "absent":
            file.unlink(missing_ok=True)
        else:
            flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            file.write_bytes({"flipped": flipped, "torn": whole[:place], "empty": b""}[how])
        if how == "flipped" and name == "result.json" and whole[place : place + 1].isspace():
            continue
        assert (damage(folder) or "").startswith(name), place


def test_every_value_of_a_result_is_under_its_checksum(tmp_path: Path) -> None:
    folder = write_run(tmp_path, KEY)
    result = json.loads((folder / "result.json").read_text())
    for name in result:
        changed = {n: v for n, v in result.items() if n != name}
        (folder / "result.json").write_text(json.dumps(changed))
        assert damage(folder) == "result.json is not what its checksum says", name
    (folder / "result.json").write_text(json.dumps(result, indent=3))
    assert damage(folder) is None


@pytest.mark.parametrize("content", ["[]", "3", "null", "{", ""])
def test_a_result_that_is_no_object_is_damage(tmp_path: Path, content: str) -> None:
    folder = write_run(tmp_path, KEY)
    (folder / "result.json").write_text(content)
    assert (damage(folder) or "").startswith("result.json cannot be read")


def test_a_run_from_before_checksums_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = write_run(tmp_path, KEY)
    result = json.loads((folder / "result.json").read_text())
    del result["files"], result["checksum"]
    (folder / "result.json").write_text(json.dumps(result))
    assert damage(folder) is None
    assert not has_checksums(folder)
