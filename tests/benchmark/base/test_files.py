import json
import os
from pathlib import Path

import pytest

from benchmark.base.files import kept, write_atomically, write_json


def test_a_file_is_written_and_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"

    write_atomically(file, b"long content")
    assert file.read_bytes() == b"long content"
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(
    failing: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"old")
    seen = []

    def fail(*arguments: object) -> None:
        seen.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
        raise error

    monkeypatch.setattr(failing, fail)
    with pytest.raises(type(error)):
        write_atomically(file, b"new")

    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"old"
    (during,) = seen  # until the very last moment the new content stands beside the old file
    assert during.pop("a.bin") == b"old"
    assert list(during.values()) == [b"new"]


def test_content_is_on_the_disk_before_it_takes_the_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda f: (order.append("fsync"), fsync(f))[1])
    monkeypatch.setattr("pathlib.Path.replace", lambda a, b: (order.append("replace"), replace(a, b))[1])

    write_atomically(tmp_path / "a", b"x")

    assert order == ["fsync", "replace"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")

    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "a", b"x")


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"name": "Zoë", "scores": [0.1, None, 3], "nested": {"a": True}}
    write_json(tmp_path / "a.json", value)

    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_has_no_such_number_and_the_old_file_stays(number: float, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_json(file, {"a": 1})

    with pytest.raises(ValueError, match="JSON"):
        write_json(file, {"a": [0.5, number]})

    assert json.loads(file.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_kept_is_made_once_and_again_where_it_is_damaged_or_cannot_be_kept(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(0)
        return [len(made)]

    path = tmp_path / "new" / "value.json"
    assert [kept(path, make) for _ in range(2)] == [[1], [1]]
    path.write_text("[1")
    assert [kept(path, make) for _ in range(2)] == [[2], [2]]
    path.write_text(path.read_text().replace("2", "7", 1))
    assert [kept(path, make) for _ in range(2)] == [[3], [3]], "one digit is another"
    (tmp_path / "file").touch()
    assert [kept(tmp_path / "file" / "value.json", make) for _ in range(2)] == [[4], [5]]
