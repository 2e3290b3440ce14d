"""The sources of the site: `python -m tests.docs.site FOLDER` copies docs/ and adds what is made from the code.

It needs neither torch nor Sphinx: the registry and the command line import nothing heavy.
"""

import gzip
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from html import unescape
from pathlib import Path

from benchmark.methods.entries import Entry, Option
from benchmark.methods.registry import AGGREGATORS, ENCODERS, FUSIONS, OBJECTIVES
from tests.paths import ROOT

REGISTRIES = {"encoder": ENCODERS, "fusion": FUSIONS, "aggregator": AGGREGATORS, "objectives": OBJECTIVES}
KINDS = {  # without plug-ins, which a process may have registered
    kind: {name: entry for name, entry in entries.items() if entry.factory.startswith(("css.", "baselines."))}
    for kind, entries in REGISTRIES.items()
}
FORMULAS = ROOT / "reports" / "tables" / "methods.toml"
PRESETS = ("smoke", "quick", "full", "paper")
EXAMPLE = ROOT / "docs" / "example-report.html.gz"
MADE = ("command-line", "components", "presets", "contributing", "changes")
"""The pages that are made, beside a page a component."""


def write(folder: Path) -> None:
    """Write everything that Sphinx reads."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.gz", "*.py", "__pycache__"))
    example = folder / "_extra" / "example-report.html"
    example.parent.mkdir()
    example.write_bytes(gzip.decompress(EXAMPLE.read_bytes()))
    pages = {
        "command-line": command_line(),
        "presets": presets(),
        "contributing": from_root("CONTRIBUTING.md"),
        "changes": from_root("CHANGELOG.md"),
        **components(),
    }
    (folder / "components").mkdir()
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def from_root(name: str) -> str:
    """A page of the repository's root, whose links lead to pages beside it."""
    return (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")


def command_line() -> str:
    """Every command with its options, as its `--help` has them."""
    command = (sys.executable, "-m", "typer", "benchmark.cli", "utils", "docs", "--name", "cssbench")
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    examples = re.sub(r"(?:^cssbench .*\n\n?)+", _fenced, unescape(text), flags=re.MULTILINE)
    return examples.replace("# `cssbench`\n", "# The command line\n", 1)


def _fenced(lines: re.Match[str]) -> str:
    text = re.sub(r"\n+", "\n", lines[0]).strip()
    return f"```bash\n{text}\n```\n\n"


def presets() -> str:
    """The files of the built-in presets."""
    parts = ["# The built-in presets\n\n[Settings and presets](settings.md) says what the settings are.\n"]
    for name in PRESETS:
        text = (ROOT / "benchmark" / "experiment" / "presets" / f"{name}.toml").read_text(encoding="utf-8")
        parts.append(f"## {name}\n\n```toml\n{text.strip()}\n```\n")
    return "\n".join(parts)


def components() -> dict[str, str]:
    """A page a component, and one that lists them."""
    formulas = tomllib.loads(FORMULAS.read_text(encoding="utf-8"))
    pages, listed = {}, ["# The components of methods\n", "A method is ENCODER/FUSION+AGGREGATOR/OBJECTIVES.\n"]
    for kind, entries in KINDS.items():
        listed.append(f"## {kind.capitalize()}\n\n| name | what it does |\n|---|---|")
        for name, entry in entries.items():
            page = f"components/{kind}-{name}"
            pages[page] = component(kind, name, entry, formulas.get(kind, {}).get(name, {}))
            listed.append(f"| [`{name}`]({page}.md) | {entry.summary} |")
        listed.append("\n```{toctree}\n:hidden:\n:glob:\n\n" + f"components/{kind}-*\n```\n")
    return {**pages, "components": "\n".join(listed)}


def component(kind: str, name: str, entry: Entry, formula: Mapping[str, str]) -> str:
    """What a component computes, where that was published, its options, and its documentation in the code."""
    parts = [f"# {kind.capitalize()} `{name}`\n", f"{entry.summary[0].upper()}{entry.summary[1:]}.\n"]
    if formula:
        parts.append(f"It computes {formula['does']}.\n")
        parts.append(f"Source: {formula['source']}.\n")
    if entry.link:
        parts.append(f"Published at <{entry.link}>.\n")
    if entry.needs:
        parts.append(f"It needs {', '.join(entry.needs)}.\n")
    if entry.extra:
        parts.append(f"It needs the extra `{entry.extra}`: `pip install 'css-bench[{entry.extra}]'`.\n")
    if entry.options:
        rows = [f"| `{option}` | {_written(o.default)} | {_allowed(o)} |" for option, o in entry.options.items()]
        parts.append("\n".join(["| option | default | allowed |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts) + f"\n```{{eval-rst}}\n.. {_directive(entry)}\n```\n"


def _allowed(option: Option) -> str:
    if option.choices:
        return ", ".join(option.choices)
    if isinstance(option.default, bool):
        return "true, false"
    low = "" if option.minimum is None else f"from {option.minimum:g}"
    high = "" if option.maximum is None else f" to {option.maximum:g}"
    return (low + high).strip() or "any number"


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _directive(entry: Entry) -> str:
    """What shows the documentation of the class or function that a factory is."""
    module, attribute = entry.factory.split(":")
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
    kind = "class" if f"\nclass {attribute}" in source else "function"
    return f"autoapi{kind}:: {module}.{attribute}"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
