"""The hooks of contributors run sessions that are there, and the same ones as `.ci/run`."""

import ast
import re
from typing import Any

import yaml

from tests.paths import ROOT


def hooks() -> list[dict[str, Any]]:
    """The hooks of the one repository that is named, this one."""
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    return local["hooks"]


def sessions() -> set[str]:
    """Names of the sessions of the noxfile."""
    functions = [
        node for node in ast.parse((ROOT / "noxfile.py").read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    return {f.name for f in functions if any("nox.session" in ast.unparse(d) for d in f.decorator_list)}


def test_hooks_run_what_has_to_be_green_besides_the_tests() -> None:
    run = [re.fullmatch(r"\.venv/bin/nox -s (\w+)", hook["entry"]) for hook in hooks()]
    (ci,) = re.findall(r"nox -s ((?:lint|types)[\w ]*)", (ROOT / ".ci" / "run").read_text())

    assert [found and found[1] for found in run] == ci.split()
    assert set(ci.split()) <= sessions()


def test_hooks_look_at_the_whole_tree_without_an_environment_of_their_own() -> None:
    for hook in hooks():
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)
