"""What is against the house rules about files and imports: a line a fault, with file, line and remedy."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise, zip_longest
from pathlib import Path, PurePosixPath

from tests.architecture.imports import Import, imports, source_files


def floor_of(file: str, floors: Sequence[str]) -> int | None:
    """The number of the floor that a file is on; None where it is on no floor."""
    on = [number for number, floor in enumerate(floors) if file == floor or file.startswith(f"{floor}/")]
    return max(on, key=lambda number: len(floors[number]), default=None)


def upward(edges: Sequence[Import], floors: Sequence[str]) -> list[str]:
    """Imports from a lower floor to a higher one."""
    faults = []
    for edge in edges:
        here, there = floor_of(edge.file, floors), floor_of(edge.target, floors)
        if here is not None and there is not None and here < there:
            faults.append(
                f"{edge.file}:{edge.line} on floor {floors[here]} imports {edge.target} of the higher floor "
                f"{floors[there]}: move what is needed down, or have the caller pass it in"
            )
    return faults


def foreign(edges: Sequence[Import], alone: Sequence[str]) -> list[str]:
    """Imports of another package by one that stands alone."""
    return [
        f"{edge.file}:{edge.line} imports {edge.target}: {_package(edge.file)} imports nothing of the project; read "
        "what is written on disk, or repeat the few lines"
        for edge in edges
        if _package(edge.file) in alone and _package(edge.target) != _package(edge.file)
    ]


def file_circles(edges: Sequence[Import]) -> list[str]:
    """A circle of files that import each other, where there is one."""
    return _circle(edges, lambda file: file)


def folder_circles(edges: Sequence[Import]) -> list[str]:
    """A circle of folders that import each other, where there is one; a folder and one inside it may."""
    return _circle(edges, lambda file: str(PurePosixPath(file).parent))


def _circle(edges: Sequence[Import], place: Callable[[str], str]) -> list[str]:
    graph: dict[str, set[str]] = defaultdict(set)
    example: dict[tuple[str, str], Import] = {}
    for edge in edges:
        a, b = place(edge.file), place(edge.target)
        if a != b and not a.startswith(f"{b}/") and not b.startswith(f"{a}/"):
            graph[a].add(b)
            example.setdefault((a, b), edge)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))  # each is a predecessor of the next: the one that it imports
        steps = [example[pair] for pair in pairwise(circle)]
        return [
            f"{' -> '.join(circle)} is a circle ("
            + ", ".join(f"{step.file}:{step.line} imports {step.target}" for step in steps)
            + "): move what both sides need to a lower file"
        ]
    return []


def homeless(root: Path, packages: Sequence[str], floors: Sequence[str]) -> list[str]:
    """Files on no floor, and floors that are nowhere."""
    files = source_files(root, packages)
    return [
        f"{file}:1 is on no floor: move it into one, or add its folder to tests/floors.py and to CONTRIBUTING's map"
        for file in files
        if floor_of(file, floors) is None
    ] + [
        f"tests/floors.py names {floor}, which is not there: take it out, and out of CONTRIBUTING's map"
        for floor in floors
        if not any(floor_of(file, [floor]) == 0 for file in files)
    ]


def borrowed(root: Path) -> list[str]:
    """Imports of a test or a conftest by another module of the tests."""
    return [
        f"{edge.file}:{edge.line} imports {edge.target}: move what both need to a module of its own beside them"
        for edge in imports(root, ["tests"])
        if PurePosixPath(edge.target).stem == "conftest" or PurePosixPath(edge.target).stem.startswith("test_")
    ]


def not_mirroring(root: Path, packages: Collection[str], without_counterpart: Collection[str]) -> list[str]:
    """Folders of tests that are no package, or that stand for no folder of the packages."""
    return [
        fault for folder in _test_folders(root) for fault in _of_folder(root, folder, packages, without_counterpart)
    ]


def _test_folders(root: Path) -> list[PurePosixPath]:
    return sorted({PurePosixPath(file).parent for file in source_files(root, ["tests"])})


def _of_folder(
    root: Path, folder: PurePosixPath, packages: Collection[str], without_counterpart: Collection[str]
) -> Iterator[str]:
    if not (root / folder / "__init__.py").is_file():
        yield f"{folder}:1 has no __init__.py: add an empty one, or pytest takes files of one name for one module"
    mirrored = PurePosixPath(*folder.parts[1:])
    if not mirrored.parts or mirrored.parts[0] in without_counterpart:
        return
    if mirrored.parts[0] not in packages or not (root / mirrored).is_dir():
        yield f"{folder}:1 tests {mirrored}, which is not there: move its files beside the folder that they test"


def map_of(contributing: str, floors: Sequence[str]) -> list[str]:
    """Where CONTRIBUTING's map differs from the floors: its first column has them in their order."""
    table = contributing.partition("| floor |")[2].partition("\n\n")[0]
    named = [row.split("`")[1].removesuffix("/") for row in table.splitlines() if row.startswith("| `")]
    if named == list(floors):
        return []
    pairs = zip_longest(named, floors, fillvalue="nothing")
    written, listed = next(pair for pair in pairs if pair[0] != pair[1])
    return [f"CONTRIBUTING.md: its map has {written} where tests/floors.py has {listed}: keep them the same"]


def stale(text: str, root: Path) -> list[str]:
    """Places that a text names as `file` `name` where that file defines no such name; all of them, if it names none."""
    places = re.findall(r"`([\w/]+\.py)` `(\w+)`", text)
    return [
        f"`{file}` `{name}` is not there: name the function or class that has its part now"
        for file, name in places
        if not (root / file).is_file() or name not in _defined((root / file).read_text(encoding="utf-8"))
    ] or ([] if places else ["the text names no place as `file` `name`"])


def _defined(source: str) -> set[str]:
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _package(file: str) -> str:
    return file.partition("/")[0]


def all_faults(
    root: Path, packages: Sequence[str], floors: Sequence[str], alone: Sequence[str]
) -> Mapping[str, list[str]]:
    """The faults of every rule about the packages, by rule."""
    edges = imports(root, packages)
    return {
        "upward": upward(edges, floors),
        "foreign": foreign(edges, alone),
        "files": file_circles(edges),
        "folders": folder_circles(edges),
        "homeless": homeless(root, packages, floors),
    }
