"""The tutorial on corpora of one's own: its code and its commands work, in their order."""

import shlex
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from tests.docs.pages import DOCS, blocks

TUTORIAL = DOCS / "your-corpus.md"
HEADING = "## From arrays to a verdict"


@pytest.mark.filterwarnings("ignore")
def test_the_tutorial_goes_from_arrays_to_a_verified_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CSSBENCH_STORE", raising=False)
    begin = TUTORIAL.read_text(encoding="utf-8").splitlines().index(HEADING)
    code, *commands = [block for block in blocks(TUTORIAL) if block.line > begin]
    exec(compile(code.text, TUTORIAL.name, "exec"), {})
    lines = [line for block in commands for line in block.text.splitlines()]
    assert len(lines) == 7
    for line in lines:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        assert sys.argv[0] == "cssbench"
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code, (line, capsys.readouterr().err)
    assert "my-corpus" in (tmp_path / "cssbench-store" / "report" / "index.html").read_text()
    assert (tmp_path / "my-corpus.lock").is_file()
