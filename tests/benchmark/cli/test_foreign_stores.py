"""A store that comes from elsewhere touches nothing outside itself, whatever its files say and wherever links lead."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.execution.worker import _logged
from benchmark.store.checksums import damage
from benchmark.store.copying import Copied, copy
from benchmark.store.records import DamagedRunError
from benchmark.store.store import Store
from tests.benchmark.harness import Say
from tests.benchmark.small_store import make_small_store
from tests.benchmark.store_commands import COMMANDS as ON_STORES
from tests.benchmark.synthetic import rewrite_result, write_run
from tests.shared import made_once

SECRET = "what nobody else may read"
DRAWN = shutil.ignore_patterns("figures", "tables")
Escape = Callable[[Path, Path], object]
"""What makes a store of a whole one, given the folder of a run in it and a folder elsewhere."""


def key(name: str) -> Escape:
    """Have the run's specification say another key, where ``{}`` is the folder elsewhere."""

    def escape(run: Path, outside: Path) -> None:
        spec = json.loads((run / "spec.json").read_text())
        (run / "spec.json").write_text(json.dumps(spec | {"key": name.format(outside)}))
        rewrite_result(run)

    return escape


def link(place: str, target: str = "") -> Escape:
    """Put a link to something elsewhere in a place of the store, where ``{}`` is the run's key."""

    def escape(run: Path, outside: Path) -> None:
        root = run.parent.parent
        path = root / place.format(run.name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(outside / target)

    return escape


def names_a_file(run: Path, outside: Path) -> None:
    """Have the checksums be those of a file elsewhere."""
    result = json.loads((run / "result.json").read_text())
    files = dict.fromkeys([str(outside / "id"), f"../../../{outside.name}/id"], "0" * 64)
    (run / "result.json").write_text(json.dumps(result | {"files": files}))


ESCAPES: dict[str, Escape] = {
    "a relative key": key("../../elsewhere"),
    "a deeper key": key("../../../elsewhere/private"),
    "an absolute key": key("{}"),
    "the key of the runs": key("."),
    "the key of the store": key(".."),
    "no key": key(""),
    "another run's key": key("0123456789abcdef"),
    "checksums elsewhere": names_a_file,
    "a linked run": link("runs/{}", "run"),
    "a link in the place of a run": link("runs/0123456789abcdef", "run"),
    "a link that leads nowhere": link("runs/0123456789abcdef", "nothing"),
    **{f"a linked {name}": link(f"runs/{{}}/{name}", "id") for name in ("spec.json", "result.json", "steps.parquet")},
    **{f"a linked {name} beside": link(f"runs/{{}}/{name}", "id") for name in ("log.txt", "error.txt", ".hidden")},
    **{
        f"linked {place}": link(place)
        for place in ("preregistrations", "looks", "studies", "logged", "report", ".removed", "mlartifacts")
    },
    "a linked preregistration": link("preregistrations/0123456789abcdef.json", "id"),
    "a linked study": link("studies/x.json", "id"),
    "linked looks": link("looks/0123456789abcdef"),
    "a linked database": link("mlflow.db", "id"),
}
_OTHERS = ("runs --json", "run --tuned", "run --locked")  # which read what the others read
COMMANDS = {name: words for name, words in ON_STORES.items() if name not in _OTHERS}
COMMANDS |= {"runs KEY": ("runs", "{key}", "--store", "{store}")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as it was written."""
    return made_once(tmp_path_factory, "small-store", lambda folder: make_small_store(folder / "store"))


@pytest.fixture
def outside(whole: Path, tmp_path: Path) -> Path:
    """A folder that is no part of a store: private files, and a run that a link could pretend to be."""
    folder = tmp_path / "elsewhere"
    (folder / "private").mkdir(parents=True)
    for name in ("id", "private/id"):
        (folder / name).write_text(SECRET)
    shutil.copytree(min((whole / "runs").iterdir()), folder / "run")
    return folder


def content(folder: Path) -> dict[str, bytes | str]:
    """All that is in a folder."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


class Quiet:
    """Stands for MLflow, which takes seconds: it takes the runs and keeps nothing."""

    is_rebuilt = False

    def __init__(self, *_: object) -> None:
        """Take whatever a tracker takes."""

    def begin(self, *_: object) -> None:
        """Begin nothing."""

    def run_kept(self, folder: Path) -> None:
        """Read what is logged of a run."""
        (folder / "result.json").read_bytes()

    def close(self, timeout: float | None = None) -> None:
        """End nothing."""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_outside_a_store_is_read_or_changed(
    say: Say, whole: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, escape: str, command: str
) -> None:
    from reports.analysis import analyse
    from reports.pages import Written

    monkeypatch.setattr("benchmark.tracking.tracker.Tracker", Quiet)
    monkeypatch.setattr(
        "reports.pages.write_report", lambda store, folder, keys: Written((), analyse(store, keys).stored.damaged)
    )
    store = shutil.copytree(whole, outside.parent / "store", ignore=DRAWN)
    other = shutil.copytree(whole, outside.parent / "other", ignore=DRAWN)
    shutil.rmtree(min((other / "runs").iterdir()))
    run = min((store / "runs").iterdir())
    ESCAPES[escape](run, outside)
    before, beside = content(outside), set(outside.parent.iterdir())
    named = {"store": str(store), "other": str(other), "key": run.name}
    code, out, err = say(*(word.format(**named) for word in COMMANDS[command]))
    assert "a fault of css-bench" not in err, err
    assert content(outside) == before
    assert set(outside.parent.iterdir()) == beside
    assert SECRET not in out + err
    assert SECRET.encode() not in content(other).values(), "copied"
    reads_all = (
        ("verify", "merge", "move") if escape == "checksums elsewhere" else ("runs", "report", "verify", "merge")
    )
    if command in reads_all:
        assert code != 0 or escape.endswith("beside"), (out, err)


def test_a_run_that_is_made_again_writes_through_no_link(outside: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    folder = write_run(store.runs, "1" * 16)
    for name in ("log.txt", "checkpoint.safetensors", ".hidden"):
        (folder / name).symlink_to(outside / "id")
    assert damage(folder) == ".hidden is a link or no file"
    with _logged(store, "1" * 16):
        os.write(1, b"printed")
    store.clear("1" * 16)
    store.fail("1" * 16, "an error")
    assert not [path for path in folder.iterdir() if path.is_symlink()]
    assert (outside / "id").read_text() == SECRET


@pytest.mark.parametrize("name", ["../../elsewhere", "", ".", "ABCDEF0123456789", "0" * 15, "0" * 17, "0" * 15 + "\n"])
def test_what_is_no_key_has_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedRunError, match="is no key, which has 16 hexadecimal digits"):
        Store(tmp_path).folder(name)


def test_a_link_in_the_target_is_not_written_through(outside: Path, tmp_path: Path) -> None:
    source, target = Store(tmp_path / "source"), Store(tmp_path / "target")
    write_run(source.runs, "1" * 16)
    target.prepare()
    (target.runs / ("1" * 16)).symlink_to(outside)
    before = content(outside)
    assert copy("1" * 16, source, target) is Copied.BLOCKED
    assert content(outside) == before


def test_a_store_or_its_runs_may_lie_on_another_disk(say: Say, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "disk")
    (tmp_path / "runs").mkdir()
    (tmp_path / "disk" / "runs").rename(tmp_path / "runs" / "here")
    (tmp_path / "disk" / "runs").symlink_to(tmp_path / "runs" / "here")
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    assert say("verify", "--all", "--files", "--store", tmp_path / "store")[0] == 0
    assert say("store", "merge", tmp_path / "store", "--into", tmp_path / "into")[0] == 0
    assert say("store", "prune", "--dataset", "meld-sim", "--yes", "--store", tmp_path / "store")[0] == 0
    assert not list((tmp_path / "runs" / "here").iterdir())
