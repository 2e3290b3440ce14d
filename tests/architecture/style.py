"""What can be checked of how the source is written: a line a fault, with file, line and remedy."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.architecture.imports import source_files

POSITIONAL = 6
"""Values that a call may give by position."""
LINES = 100
"""Lines that a function may have."""
ABSENT = re.compile(r"\b(METHOD|DESIGN|HOUSE)(\.md\b| \d|'s\b)")
"""Citations of documents that are not in the repository."""
FRAGMENTS = ("Of ", "For people", "As of ", "Where in ", "The same of ")
"""Openings of docstrings that are no sentences."""


def _nodes(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, ast.AST]]:
    for file in source_files(root, folders):
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"), file)):
            yield file, node


def long_calls(root: Path, folders: Sequence[str]) -> list[str]:
    """Calls with more positional values than a reader can tell apart."""
    return [
        f"{file}:{node.lineno} calls {ast.unparse(node.func)} with {len(node.args)} positional values: name them"
        for file, node in _nodes(root, folders)
        if isinstance(node, ast.Call) and len(node.args) > POSITIONAL
    ]


def long_functions(root: Path, folders: Sequence[str]) -> list[str]:
    """Functions that fill more than two screens."""
    return [
        f"{file}:{node.lineno} {node.name} has {lines} lines: give its steps names"
        for file, node in _nodes(root, folders)
        if isinstance(node, ast.FunctionDef) and (lines := (node.end_lineno or 0) - node.lineno + 1) > LINES
    ]


def citations(root: Path, files: Sequence[str]) -> list[str]:
    """Lines that cite a document which is not there."""
    return [
        f"{file}:{number} cites {cited[0]}, which is not in the repository: cite paper and equation"
        for file in files
        for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), start=1)
        if (cited := ABSENT.search(line))
    ]


def fragments(root: Path, folders: Sequence[str]) -> list[str]:
    """Docstrings that begin like no sentence."""
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
    return [
        f"{file}:{getattr(node, 'lineno', 1)} has a docstring that begins {text[:30]!r}: write a sentence"
        for file, node in _nodes(root, folders)
        if isinstance(node, documented) and (text := ast.get_docstring(node) or "").startswith(FRAGMENTS)
    ]


def dead_scripts(root: Path, folders: Sequence[str], packages: Sequence[str]) -> list[str]:
    """Imports of modules that are not there, by programs that stand in strings."""
    return [
        f"{file}:{node.lineno} has a program that imports {module}, which is not there: name where it is now"
        for file, node in _nodes(root, folders)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value
        for module in re.findall(
            rf"^\s*(?:from|import) ((?:{'|'.join(packages)})(?:\.\w+)+)\b", node.value, re.MULTILINE
        )
        if not _is_there(root, module)
    ]


def _is_there(root: Path, module: str) -> bool:
    place = root.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()
