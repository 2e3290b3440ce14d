"""Every JSON file of a store, damaged in every way, under every command: one line that says it, and nothing hidden."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.execution.events import Event, Finished
from benchmark.store.query import Filter
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.small_store import STUDY, WORDS, make_small_store
from tests.shared import made_once

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "torn": lambda whole: whole[: len(whole) // 2],
    "an array": lambda whole: b"[]",
    "an object of nothing": lambda whole: b"{}",
    "empty": lambda whole: b"",
}
FILES = {
    "spec": "runs/{key}/spec.json",
    "manifest": "runs/{key}/manifest.json",
    "result": "runs/{key}/result.json",
    "preregistration": "preregistrations/{planned}.json",
    "followed preregistration": "preregistrations/{followed}.json",
    "look": "looks/{followed}/2.json",
    "study": "studies/{study}.json",
    "lock": "paper.json",
    "report": "report/report.json",
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "runs": ("runs",),
    "runs KEY": ("runs", "{key}"),
    "runs --json": ("runs", "--json", "--state", "complete"),
    "report": ("report",),
    "verify": ("verify", "--all"),
    "verify --files": ("verify", "--all", "--files"),
    "verify KEY": ("verify", "{key}"),
    "run": ("run", *WORDS, "--seeds", "2", "--workers", "1"),
    "run of others": ("run", *WORDS, "--seeds", "7,8", "--workers", "1", "--dry-run"),
    "run --until-decided": ("run", *WORDS, "--until-decided", "--looks", "2", "--workers", "1"),
    "run --tuned": ("run", *WORDS, "--tuned", STUDY, "--seeds", "2", "--dry-run"),
    "run --locked": ("run", "--locked", "{root}/paper.json", "--dry-run"),
    "lock": ("lock", *WORDS, "--tuned", STUDY, "--out", "{root}/another.json"),
    "prune": ("store", "prune", "--dataset", "meld-sim", "--yes"),
    "merge": ("store", "merge", "{root}", "--into", "{root}-copy"),
    "move": ("store", "move", "--into", "{root}-copy"),
}
READ = {
    "spec": {"runs", "runs KEY", "runs --json", "report", "verify", "verify --files", "verify KEY", "run", "prune"}
    | {"merge", "move", "run --until-decided"},
    "manifest": {"report", "verify", "verify --files", "verify KEY", "run", "run --until-decided", "merge", "move"}
    | {"runs KEY"},
    "result": {"runs", "runs KEY", "report", "verify", "verify --files", "verify KEY", "run", "merge"}
    | {"move", "run --until-decided"},
    "preregistration": {"report", "run", "run --until-decided", "verify", "verify --files"},
    "followed preregistration": {"report", "run", "run --until-decided", "verify", "verify --files"},
    "look": {"report", "run", "run --until-decided", "verify", "verify --files"},
    "study": {"report", "run", "run --tuned", "lock", "run --until-decided"},
    "lock": {"run --locked"},
    "report": {"report", "run", "run --until-decided"},
}
"""Which commands read the file, and so have to say what is wrong with it."""
MENDED = {("spec", "run"), ("manifest", "run"), ("result", "run")}
MENDED |= {(file, "run --until-decided") for file, _ in MENDED}
"""What makes the run again and may end well."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store as it was written."""
    return made_once(tmp_path_factory, "small-store", lambda folder: make_small_store(folder / "store"))


@pytest.fixture
def root(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy to be damaged; runs are made by copying them, and reports are read and not drawn."""
    from reports.analysis import analyse
    from reports.pages import Written

    def make(specs: dict[str, Any], datasets: object, store: Store, **_: object) -> Counter[type[Event]]:
        for key in specs:
            shutil.copytree(whole / "runs" / key, store.runs / key, dirs_exist_ok=True)
        return Counter({Finished: len(specs)})

    def again(tasks: list[Any], scratch: Store, *_: object) -> dict[str, str]:
        for task in tasks:
            shutil.copytree(whole / "runs" / task.spec.key, scratch.runs / task.spec.key)
        return {}

    monkeypatch.setattr("benchmark.execution.coordinator.run_grid", make)
    monkeypatch.setattr("benchmark.workflows.making.refuse_unusable", lambda *_: None)
    monkeypatch.setattr("benchmark.workflows.verify._make", again)
    monkeypatch.setattr(
        "reports.pages.write_report", lambda store, folder, keys: Written((), analyse(store, keys).stored.damaged)
    )
    return shutil.copytree(whole, tmp_path / "store", ignore=shutil.ignore_patterns("figures", "tables"))


def names(root: Path) -> dict[str, str]:
    """What stands for what in files and commands."""
    (followed,) = (path.name for path in (root / "looks").iterdir())
    (planned,) = (path.stem for path in (root / "preregistrations").iterdir() if path.stem != followed)
    (study,) = (path.stem for path in (root / "studies").iterdir())
    key = min(run.key for run in Filter(method="css").select(Store(root)))
    return {"root": str(root), "followed": followed, "planned": planned, "study": study, "key": key}


def words(command: str, named: dict[str, str]) -> list[str]:
    """The command's words; those of most commands say which store."""
    said_alone = [word.format(**named) for word in COMMANDS[command]]
    return said_alone if command == "merge" else [*said_alone, "--store", named["root"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_whole_store_is_read_by_every_command(say: Say, root: Path, command: str) -> None:
    code, _, err = say(*words(command, names(root)))
    assert code == 0, err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_named_once_with_the_remedy(
    say: Say, root: Path, file: str, damage: str, command: str
) -> None:
    named = names(root)
    path = root / FILES[file].format(**named)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    code, out, err = say(*words(command, named))
    assert "a fault of css-bench" not in err, err
    assert "Traceback" not in out + err
    if command not in READ[file]:
        return
    lines = (out + err).splitlines()
    place = path.parent.name if file in ("spec", "manifest", "result") else path.stem
    telling = [line for line in lines if place in line and ("damaged" in line or "cannot use" in line or code == 2)]
    assert telling, lines
    assert code in ((0, 1, 2) if (file, command) in MENDED or command.startswith("runs") else (1, 2)), lines
    if code == 2:
        assert err.count("\n") == 1, err
