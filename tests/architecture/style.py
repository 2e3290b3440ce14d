"""What can be checked of how the source is written: a line a fault, with file, line and remedy."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

POSITIONAL = 6
"""Values that a call may give by position."""
FUNCTION_LINES = 100
"""Lines that the body of a function may have; a command's options are in its signature, and do not count."""
FILE_LINES = 400
"""Lines that a file may have."""
NAMELESS = frozenset({"found", "own", "said", "there", "of"})
"""Names that say nothing of what a variable holds."""
ABSENT = re.compile(r"\b(METHOD|DESIGN|HOUSE)(\.md\b| \d|'s\b)")
"""Citations of documents that are not in the repository."""
FRAGMENTS = (
    *("Of ", "For people", "As of ", "As part ", "Where in ", "The same of ", "Equal for ", "Equal but ", "Over the "),
    *("On one ", "On these ", "In points", "By seed", "Those that "),
)
"""Openings of docstrings, of code and of values, that are no sentences."""


def _nodes(root: Path, files: Sequence[str]) -> Iterator[tuple[str, ast.AST]]:
    for file in files:
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"), file)):
            yield file, node


def long_calls(root: Path, files: Sequence[str]) -> list[str]:
    """Calls with more positional values than a reader can tell apart."""
    return [
        f"{file}:{node.lineno} calls {ast.unparse(node.func)} with {values} positional values: name them"
        for file, node in _nodes(root, files)
        if isinstance(node, ast.Call) and (values := _positional(node)) > POSITIONAL
    ]


def _positional(call: ast.Call) -> int:
    """The number of values that a call gives by position; several that are unpacked beside others count as two."""
    if len(call.args) == 1:
        return 1
    return sum(2 if isinstance(value, ast.Starred) else 1 for value in call.args)


def long_functions(root: Path, files: Sequence[str]) -> list[str]:
    """Functions that fill more than two screens."""
    return [
        f"{file}:{node.lineno} {node.name} has a body of {lines} lines: give its steps names"
        for file, node in _nodes(root, files)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _body_lines(node)) > FUNCTION_LINES
    ]


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.body[0].lineno + 1


def long_files(root: Path, files: Sequence[str]) -> list[str]:
    """Files that hold more than one concept, by their length."""
    return [
        f"{file} has {lines} lines: give one of its concepts a file of its own"
        for file in files
        if (lines := len((root / file).read_text(encoding="utf-8").splitlines())) > FILE_LINES
    ]


def nameless(root: Path, files: Sequence[str]) -> list[str]:
    """Variables, parameters and fields whose name says nothing of what they hold."""
    return [
        f"{file}:{line} has a variable {name}: call it by what it holds"
        for file, node in _nodes(root, files)
        for line, name in _bound(node)
        if name in NAMELESS
    ]


def _bound(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The names that a node gives to values, each with its line."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield node.lineno, name
        case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
            yield node.lineno, name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield node.lineno, name


def citations(root: Path, files: Sequence[str]) -> list[str]:
    """Lines that cite a document which is not there."""
    return [
        f"{file}:{number} cites {cited[0]}, which is not in the repository: cite paper and equation"
        for file in files
        for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), start=1)
        if (cited := ABSENT.search(line))
    ]


def fragments(root: Path, files: Sequence[str]) -> list[str]:
    """Docstrings that begin like no sentence."""
    return [
        f"{file}:{node.lineno} has a docstring that begins {text[:30]!r}: write a sentence"
        for file, node in _nodes(root, files)
        if isinstance(node, ast.Expr)  # a text that stands alone: of a module, class, function or value
        and isinstance(node.value, ast.Constant)
        and isinstance(text := node.value.value, str)
        and text.startswith(FRAGMENTS)
    ]


def dead_scripts(root: Path, files: Sequence[str], packages: Sequence[str]) -> list[str]:
    """Imports of modules that are not there, by programs that stand in strings."""
    return [
        f"{file}:{node.lineno} has a program that imports {module}, which is not there: name where it is now"
        for file, node in _nodes(root, files)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value
        for module in re.findall(
            rf"^\s*(?:from|import) ((?:{'|'.join(packages)})(?:\.\w+)+)\b", node.value, re.MULTILINE
        )
        if not _is_there(root, module)
    ]


def _is_there(root: Path, module: str) -> bool:
    place = root.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()
