"""Which file of a source tree imports which other one, and in which line."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """An import of one file by another, both relative to the root, with ``/``."""

    file: str
    line: int
    target: str


def source_files(root: Path, packages: Iterable[str]) -> list[str]:
    """The Python files of these packages, relative to the root."""
    return [
        file.relative_to(root).as_posix() for package in packages for file in sorted((root / package).rglob("*.py"))
    ]


def imports(root: Path, packages: Sequence[str]) -> list[Import]:
    """Every import of one file of these packages by another, in any place of the file.

    Imports inside functions count, and so do those for the type checker alone and ``import_module`` of a name that is
    written out. An import of a package is one of its ``__init__.py``.
    """
    files = {_module(file): file for file in source_files(root, packages)}
    return [
        Import(file, line, files[target])
        for module, file in files.items()
        for line, target in _targets((root / file).read_text(encoding="utf-8"), module, file, files)
        if target != module
    ]


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _targets(source: str, module: str, file: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The modules that a source imports, each with its line."""
    package = module if file.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source, file)):
        match node:
            case ast.Import(names):
                names = [alias.name for alias in names]
            case ast.ImportFrom(names=aliases):
                base = _base(node, package)
                names = [f"{base}.{alias.name}" for alias in aliases]
            case ast.Call(func=ast.Name("import_module") | ast.Attribute(attr="import_module"), args=[first, *_]):
                names = [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
            case _:
                continue
        for name in names:
            if (target := _longest_known(name, known)) is not None:
                yield node.lineno, target


def _base(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of what an import is from."""
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _longest_known(name: str, known: Iterable[str]) -> str | None:
    """The module that a dotted name reaches into; None where it is of another project."""
    parts = name.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in known), None)
