"""LaTeX that a paper can use: what it says, that names are text in it, and that it compiles where a LaTeX is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from reports.analysis import analyse
from reports.chapters import CHAPTERS
from reports.tables.claims import claims_table
from reports.tables.every_run import every_run
from reports.tables.latex import latex, latex_file
from reports.tables.methods import methods
from reports.tables.model import Table, listing
from reports.tables.rendering import write_tables
from reports.text import latex as latex_text
from tests.reports.inference.preregistrations import declare, follow
from tests.reports.synthetic_imports import write_import
from tests.reports.synthetic_runs import CEILING, REFERENCES, write_run
from tests.reports.tables.samples import GROUPED, HOSTILE, table_of

NASTY = r"*x|`_$\b{[-"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a report on two data sets, an import and looks, in which a method has a hostile name."""
    root = tmp_path_factory.mktemp("latex")
    store, tables = root / "store", root / "tables"
    for dataset in ("iemocap-sim", "meld"):
        for label in ("css", "adam", NASTY):
            for seed in range(3):
                write_run(store, dataset, label, seed, epochs=3, steps_per_epoch=3, ceiling=CEILING,
                          references=REFERENCES)  # fmt: skip
    write_import(store, [60.0, 61.0, 62.0])
    follow(store, declare(store, ("iemocap-sim", "css", "adam"), looks=(2, 3)))
    tables.mkdir()
    analysis = analyse(store)
    made = [
        table
        for chapter in CHAPTERS
        for make in chapter.tables
        for evidence in analysis.evidence
        if (table := make(evidence, analysis.inference)) is not None
    ]
    beside = [
        claims_table(analysis.validated, analysis.claims),
        methods(analysis.evidence),
        every_run(analysis.evidence),
    ]
    write_tables([*made, *beside], tables)
    return tables


def typeset(folder: Path, names: list[str]) -> str:
    """The log of a document of these files, in which every caption says how many lines it has."""
    if shutil.which("pdflatex") is None:
        pytest.skip("NO LATEX: pdflatex is not installed, so nobody has seen whether the tables of a report compile")
    lines = [
        r"\documentclass{article}", r"\usepackage{booktabs,graphicx}",
        r"\renewcommand{\caption}[1]{\par Table 99: #1\par\typeout{caption lines: \the\prevgraf}}",
        r"\begin{document}", *(rf"\input{{{name}}}\clearpage" for name in names), r"\end{document}",
    ]  # fmt: skip
    (folder / "paper.ltx").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.ltx"],
        cwd=folder, capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_every_file_of_a_report_compiles_with_captions_of_at_most_three_lines(folder: Path):
    names = sorted(path.name for path in folder.glob("*.tex"))
    log = typeset(folder, names)
    counts = [int(count) for count in re.findall(r"caption lines: (\d+)", log)]
    assert len(counts) == sum((folder / name).read_text().count(r"\begin{table}") for name in names)
    assert max(counts) <= 3
    assert "multiply" not in log
    assert "Float too large" not in log


def test_every_table_of_a_report_has_a_caption_a_note_and_a_label_of_its_own(folder: Path):
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tex"))
    labels = re.findall(r"\\label\{(.*)\}", text)
    assert len(labels) == len(set(labels)) == text.count(r"\begin{table}") == text.count(r"\parbox{\linewidth}")
    assert {"tab:cssbench-conflictblocks-meld", "tab:cssbench-comparisons-meld-2", "tab:cssbench-runs"} <= set(labels)
    assert not re.findall(r"U\+[0-9A-F]{4}", text)


def test_a_caption_names_table_data_and_part_and_leaves_the_explanation_to_the_note():
    text = latex_file([table_of(GROUPED)])
    assert r"\caption{Some table, meld-sim. SIMULATED DATA (meld-sim). Some.}" in text
    assert r"\label{tab:cssbench-some-meld-sim}" in text
    assert r"\end{tabular}}" + "\n" + r"\par\smallskip\parbox{\linewidth}{\footnotesize How to read it.}" in text


def test_labels_are_told_apart_where_names_are_not():
    part = listing("", ("a",), [("1",)])
    tables = [table_of(part, dataset=name) for name in ("a b", "a-b", "a-b-2", "情感", "")]
    assert re.findall(r"label\{tab:cssbench-(.*)\}", latex_file(tables)) == [
        "some-a-b", "some-a-b-2", "some-a-b-2-2", "some", "some-2",
    ]  # fmt: skip


def test_latex_has_rules_under_groups_and_wraps_prose():
    text = latex(GROUPED, "A caption", "", "")
    assert r"\begin{tabular}{lrrrp{0.45\linewidth}}" in text
    assert r"\multicolumn{2}{c}{} & \multicolumn{2}{c}{selected} & \multicolumn{1}{c}{} \\" in text
    assert r"\cmidrule(lr){3-4}" in text
    assert r"css & 3 & 71.2 & [70.9, 71.5] & better \\" in text


def test_hostile_names_compile_wherever_they_stand(tmp_path: Path):
    hostile: list[Table] = [
        table_of(listing(name, (name, "x"), [(name, "1"), (name, name)]), title=name, note=name, dataset=name,
                 frame=pd.DataFrame())
        for name in HOSTILE
    ]  # fmt: skip
    (tmp_path / "hostile.tex").write_text(latex_file(hostile), encoding="utf-8")
    typeset(tmp_path, ["hostile.tex"])


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_is_typeset_by_standard_fonts(name: str):
    row = latex(listing("", ("name", "x"), [(name, "1")]), name, "", "").split("\n")[9]
    assert row.isascii()
    assert row.endswith(r" & 1 \\")
    assert not row.startswith(("[", "*"))
    macros = r"\\text(backslash|asciitilde|asciicircum|bar|asciigrave)\{\}|\\[&%$#_{}]|\$[<>]\$"
    plain = re.sub(macros, "", row[:-7].removeprefix("{}"))
    assert not re.search(r"[&%$#_{}~^\\|`]", plain), plain


def test_latex_keeps_accents_and_tells_other_letters_apart():
    text = latex(listing("", ("café", "感情"), [("情感", "naïve")]), "", "", "")
    assert "café & U+611FU+60C5" in text
    assert "U+60C5U+611F & naïve" in text


def test_two_hyphens_stay_two_hyphens():
    assert latex_text("a--b") == "a-{}-b"
