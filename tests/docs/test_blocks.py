"""Every command and every block of Python in README and docs/ is executed, at the size of a moment, or parsed.

In a folder that has what the pages speak of: FOLDER with features and a corpus, a store with runs, predictions.
"""

import io
import pickle
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib as mpl
import pytest
import typer

from benchmark.cli import main
from benchmark.methods.parsing import KINDS
from tests.benchmark.harness import feature_items, write_features
from tests.benchmark.small_store import make_small_store
from tests.docs.commands import ONLY_PARSED, commands, parse
from tests.docs.pages import DOCS, PAGES, Block, blocks
from tests.paths import ROOT
from tests.reports.tuning.synthetic_studies import LR, trial, write_study
from tests.undrawn import undrawn

TRIED = [page for page in PAGES if any(block.language in ("bash", "python") for block in blocks(page))]
TUTORIAL = DOCS / "your-corpus.md"
FINDS_DEFECTS = 1
"""The exit code of an audit of vectors that were drawn."""


@pytest.fixture(name="workspace", scope="module")
def _workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch, undrawn(), ExitStack() as stack:
        for entries in KINDS.values():  # what registers a plug-in does so for good
            stack.enter_context(mock.patch.dict(entries))
        for name in ("CSSBENCH_STORE", "CSSBENCH_DATA", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        furnish(folder)
        yield folder


def furnish(folder: Path) -> None:
    """Put into a folder what the pages take for granted."""
    store = make_small_store(folder / "cssbench-store", seeds=3)
    for copy in ("A", "B", "S", "example-store"):
        shutil.copytree(store, folder / copy)
    add_study(store)
    items = feature_items()
    write_features(folder / "FOLDER", items)
    shutil.copyfile(folder / "FOLDER" / "meld_multimodal_features.pkl", folder / "FILE")
    sessions = iemocap_items(items)
    (folder / "FOLDER" / "iemocap_multimodal_features.pkl").write_bytes(pickle.dumps(tuple(sessions)))
    (tutorial, *_) = [block for block in blocks(TUTORIAL) if block.language == "python"]
    execute(tutorial, {})
    shutil.copytree("mine", "FOLDER", dirs_exist_ok=True)
    call("data", "build", "--from", "FOLDER", "--name", "my-corpus")
    shutil.rmtree("mine")
    (toml, *_) = [block for block in blocks(DOCS / "settings.md") if block.language == "toml"]
    (folder / "mine.toml").write_text(toml.text, encoding="utf-8")
    rows = [f"{c},{u},{label}" for c in items[11] for u, label in enumerate(items[2][c])]
    (folder / "sdt.csv").write_text("\n".join(["conversation,utterance,predicted", *rows]), encoding="utf-8")


def add_study(store: Path) -> None:
    """Write a study of one trial, whose runs are no longer in the store."""
    before = set((store / "runs").iterdir())
    write_study(store, "meld-sim/css/quick", [trial(0, {"lr": 1e-3}, [0.5])], {"lr": LR}, dataset="meld-sim")
    for run in set((store / "runs").iterdir()) - before:
        shutil.rmtree(run)


def iemocap_items(meld: list[Any]) -> list[Any]:
    """The 12 items of IEMOCAP's file, with the vectors of a file of MELD: sessions 1 to 4, and 5 for the test."""
    names = {c: f"Ses0{i % 4 + 1}F_impro{i:02d}" for i, c in enumerate(meld[10])}
    names |= {c: f"Ses05M_impro{i:02d}" for i, c in enumerate(meld[11])}

    def renamed(item: dict[int, Any]) -> dict[str, Any]:
        return {names[c]: value for c, value in item.items()}

    speakers = {c: ["FM"[u % 2] for u in range(len(labels))] for c, labels in meld[2].items()}
    labels = {c: [label % 6 for label in labels] for c, labels in meld[2].items()}
    items = [meld[0], speakers, labels, *meld[3:10]]
    return [*map(renamed, items), [names[c] for c in meld[10]], [names[c] for c in meld[11]]]


def call(*words: str) -> tuple[int, str]:
    """Run cssbench here; returns its exit code and what it printed."""
    text = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(text), redirect_stderr(text):
        patch.setattr(sys, "argv", ["cssbench", *words])
        with pytest.raises(SystemExit) as left:
            main()
    return int(left.value.code or 0), text.getvalue()


def execute(block: Block, names: dict[str, Any]) -> None:
    """Run a block of Python; one that begins with the name of a file is added to it."""
    first = block.text.partition("\n")[0]
    if first.startswith("# ") and first.endswith(".py"):
        with Path(first[2:]).open("a", encoding="utf-8") as file:
            file.write(block.text)
        sys.modules.pop(Path(first[2:]).stem, None)
    exec(compile(block.text, str(block), "exec"), names)


@pytest.mark.parametrize("page", TRIED, ids=[str(page.relative_to(ROOT)) for page in TRIED])
@pytest.mark.filterwarnings("ignore")
def test_what_a_page_says_can_be_done(page: Path, workspace: Path) -> None:
    key = next((workspace / "cssbench-store" / "runs").iterdir()).name
    names: dict[str, Any] = {"__name__": page.stem}
    mpl.use("agg")
    for block in blocks(page):
        if block.language == "python" and page != TUTORIAL:
            with redirect_stdout(io.StringIO()):
                execute(block, names)
        if block.language == "bash":
            spoken = block.text.replace("3f2a", key[:6]).replace(" RUN", f" {key}").replace(" …", "")
            for command in commands(replace(block, text=spoken)):
                parse(command.words)
                if command.executed and not (page == TUTORIAL and "mine" in " ".join(command.words)):
                    code, said = call(*command.words)
                    assert code == (FINDS_DEFECTS if "audit" in command.words else 0), (command, said)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("rm -r FOLDER", "rm is no program"),
        (".venv/bin/nox -s benchmrk", "no session benchmrk"),
        ("python -m tests.docs.nowhere", "no module tests.docs.nowhere"),
        ("cssbench run --sedes 3", "--sedes"),
        ("cssbench rnu", "rnu"),
        ("nox -s benchmark -- --sedes 3", "--sedes"),
        ("cssbench data fetch", "Missing parameter: dataset"),
    ],
)
def test_a_line_that_cannot_be_right_is_noticed(line: str, cause: str) -> None:
    with pytest.raises((ValueError, KeyError, typer.TyperException), match=cause):
        list(map(parse, (command.words for command in commands(Block(TUTORIAL, 1, "bash", line)))))


def test_what_would_train_is_planned_and_what_needs_more_is_parsed_alone() -> None:
    lines = (
        "nox -s benchmark -- --preset full && cssbench runs",
        "cssbench run --gpus all  # a remark",
        "cssbench \\\n ui",
    )
    calls = commands(Block(TUTORIAL, 1, "bash", "\n".join(lines)))
    assert [(" ".join(command.words), command.executed) for command in calls] == [
        ("run --preset full --dry-run", True),
        ("runs", True),
        ("run --gpus all --dry-run", False),
        ("ui", False),
    ]


def test_the_documentation_still_speaks_of_what_is_parsed_alone() -> None:
    shown = [block for page in TRIED for block in blocks(page) if block.language == "bash"]
    words = [command.words for block in shown for command in commands(block)]
    for start in ONLY_PARSED:
        assert any(each[: len(start)] == start for each in words), start
