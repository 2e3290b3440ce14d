"""The tutorial on corpora of one's own: its code and its commands work, in their order."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from tests.paths import ROOT

TUTORIAL = ROOT / "docs" / "your-corpus.md"


def blocks() -> list[str]:
    """The indented blocks of the tutorial's last section, without their indent."""
    section = TUTORIAL.read_text(encoding="utf-8").partition("## From arrays to a verdict\n")[2]
    indented = re.findall(r"(?:^(?: {4}.*)?\n)+", section, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip() for block in indented if block.strip()]


@pytest.mark.filterwarnings("ignore")
def test_the_tutorial_goes_from_arrays_to_a_verified_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CSSBENCH_STORE", raising=False)
    code, *commands = blocks()
    exec(compile(code, TUTORIAL.name, "exec"), {})
    lines = [line for block in commands for line in block.splitlines()]
    assert len(lines) == 7
    for line in lines:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        assert sys.argv[0] == "cssbench"
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code, (line, capsys.readouterr().err)
    assert "my-corpus" in (tmp_path / "cssbench-store" / "report" / "index.html").read_text()
    assert (tmp_path / "my-corpus.lock").is_file()
