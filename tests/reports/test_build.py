import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import reports
from reports import ReportError, build, is_current, read_scoreboards
from tests.reports.pages import of_data_set
from tests.reports.synthetic_runs import CEILING, REFERENCES

TABLES = (
    *("accuracy", "stability", "conflict", "conflict-blocks", "directions", "cost"),
    *("comparisons", "selection", "selection-rules", "ablation", "factorial", "leaderboard"),
    *("per_class", "calibration"),
)
FIGURES = (
    *("scores", "losses", "cosines", "weights", "ternary", "confusion", "per_class", "calibration", "power", "cost"),
)
SIMULATED = "SIMULATED DATA (iemocap-sim)"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.reports.synthetic_runs import write_run

    root = tmp_path_factory.mktemp("built")
    for dataset in ("iemocap-sim", "meld"):
        for label in ("css", "adam", "concat+pgm"):
            for seed in range(3):
                write_run(root / "store", dataset, label, seed)
    write_run(root / "store", "meld", "css", epochs=2, preset="smoke", created="2025-01-01T00:00:00Z")
    failed = write_run(root / "store", "meld", "adam", 7)
    (failed / "result.json").unlink()
    (failed / "error.txt").write_text("Traceback\nMemoryError: <b>too large</b>\n", encoding="utf-8")
    assert build(root / "store", root / "report") == root / "report/index.html"
    return root / "report"


@pytest.fixture
def small(tmp_path: Path, add_run) -> Path:
    """Two runs: enough for what happens to folders."""
    for label in ("css", "adam"):
        add_run(tmp_path / "store", "meld", label, epochs=3)
    return tmp_path / "store"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_both_pages_begin_with_the_answer_and_the_marker_has_it(built: Path):
    answers = [board.answer for board in read_scoreboards(built)]
    assert [answer.partition(": ")[0] for answer in answers] == [
        "Real conversations, NOT the published features (meld)",
        "SIMULATED DATA (iemocap-sim)",
    ]
    assert all("Nothing is decided about css" in answer for answer in answers)
    page, text = read(built / "index.html"), read(built / "report.md")
    sentence = "Nothing is decided about css"
    assert page.index(sentence) < page.index('id="forest-') < page.index('class="banner') < page.index("<h2")
    assert text.index(sentence) < text.index("figures/forest.svg") < text.index("\n> **SIMULATED DATA")
    assert read_scoreboards(built.parent) == []


def test_a_report_has_its_pages_tables_and_figures(built: Path):
    names = set(contents(built))
    figures = {f"figures/{kind}_{dataset}.{ext}" for kind in FIGURES
               for dataset in ("iemocap-sim", "meld") for ext in ("svg", "png")}  # fmt: skip
    tables = {
        f"tables/{name}.{ext}"
        for name in (*TABLES, "claims", "instrument", "methods", "runs")
        for ext in ("csv", "md", "tex")
    }
    forest = {"figures/forest.svg", "figures/forest.png"}
    assert names == {"index.html", "report.md", "report.json"} | figures | forest | tables | {"tables/README.md"}


@pytest.mark.parametrize("page", ["index.html", "report.md"])
def test_every_page_says_what_data_it_shows_and_how_scores_were_chosen(built: Path, page: str):
    text = " ".join(read(built / page).split())
    assert text.count("SIMULATED DATA: iemocap-sim (built-in simulator, seed 0). No conversation here is real") == 2
    real = text.replace("&#39;", "'")
    assert "from meld_features.pkl; not the community's published features: scores are not comparable" in real
    assert "at the epoch chosen on validation data" in text
    assert "never a result" in text
    assert "Estimation only: with 3 seeds no test is possible" in text
    assert "2/2³ = 0.25" in text
    assert "Exploratory: 2 comparisons in weighted F1: 2 too few seeds." in text
    assert "css − adam: " in text
    assert "No family of comparisons was declared before these runs" in text
    assert "Had you reported the best test epoch of the best seed, you would have claimed: css" in text
    assert "preset: smoke (shown: quick)" in text
    assert "torch 2.8.0" in text
    assert "Example CPU" in text
    assert "58a1abd" in text


def test_simulated_data_is_named_in_every_table_and_figure(built: Path):
    html = read(built / "index.html")
    chapters = html[html.index('id="leaderboard"') : html.index('id="methods"')]
    parts = re.findall(r"<(caption|figcaption)>(.*?)</\1>", chapters, re.DOTALL)
    captions = [text for _, text in parts if "iemocap" in text or "meld" in text]
    assert len(captions) == len(parts)
    simulated = [text for text in captions if SIMULATED in text]
    assert len(simulated) == len(captions) / 2  # the other half is of the real data
    assert len(re.findall(r'role="img" aria-label="SIMULATED DATA \(iemocap-sim\)\. ', html)) == len(FIGURES)
    for figure in built.glob("figures/*_iemocap-sim.svg"):
        assert SIMULATED in read(figure)
    for name in TABLES:
        tex = re.findall(r"\\caption\{(.*)\}", read(built / f"tables/{name}.tex"))
        assert all(("SIMULATED DATA (iemocap-sim)" in c) != ("NOT the published" in c) for c in tex)
        assert f"**{SIMULATED}.**" in read(built / f"tables/{name}.md")
        frame = pd.read_csv(built / f"tables/{name}.csv")
        assert dict(zip(frame["dataset"], frame["data"], strict=True)) == {
            "iemocap-sim": "simulated",
            "meld": "real-unpublished",
        }


def test_the_page_needs_nothing_else(built: Path):
    class Checker(HTMLParser):
        ids: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"link", "iframe", "img", "object"}
            for name, value in attrs:
                if name.endswith(("href", "src")):
                    assert str(value).startswith("#") or (tag == "a" and (built / str(value)).is_file()), value
                if name == "id":
                    self.ids.append(str(value))

    html = read(built / "index.html")
    checker = Checker()
    checker.feed(html)
    assert len(checker.ids) == len(set(checker.ids))
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    assert set(re.findall(r'url\(#([^)"]+)\)', html)) | set(re.findall(r'href="#([^"]+)"', html)) <= set(checker.ids)


def test_text_from_runs_is_escaped(built: Path):
    assert "&lt;b&gt;too large&lt;/b&gt;" in read(built / "index.html")
    assert "<b>" not in read(built / "index.html")
    assert "MemoryError" in read(built / "report.md")


def test_only_one_budget_is_averaged(built: Path):
    frame = pd.read_csv(built / "tables/accuracy.csv")
    assert list(frame["n"]) == [3] * 6


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path):
    build(built.parent / "store", tmp_path / "again")
    assert contents(tmp_path / "again") == contents(built)


@pytest.mark.usefixtures("undrawn")
def test_methods_of_another_encoder_stand_in_the_same_tables_and_are_named(tmp_path: Path, add_run):
    for label in ("css", "adam", "css-released"):
        add_run(tmp_path / "store", "meld", label, epochs=3)
    build(tmp_path / "store", tmp_path / "report")
    page = read(tmp_path / "report/report.md")
    assert "Not all methods have the same encoder (paper: css, adam; released: css-released)." in page
    assert set(pd.read_csv(tmp_path / "report/tables/accuracy.csv")["method"]) == {"css", "css-released", "adam"}


@pytest.mark.usefixtures("undrawn")
def test_methods_of_one_encoder_need_no_such_remark(small: Path, tmp_path: Path):
    build(small, tmp_path / "report")
    assert "the same encoder" not in read(tmp_path / "report/report.md")


@pytest.mark.usefixtures("undrawn")
def test_published_features_are_said_to_be_so(tmp_path: Path, add_run):
    add_run(tmp_path / "store", "meld", published=True)
    page = read(build(tmp_path / "store", tmp_path / "report"))
    assert "published features." in page
    assert "not comparable" not in page


def test_one_seed_is_reported_without_a_spread(tmp_path: Path, add_run):
    for label in ("css", "adam"):
        add_run(tmp_path / "store", "meld", label)
    page = read(build(tmp_path / "store", tmp_path / "report"))
    assert "n = 1; one seed, no interval: too few seeds" in page
    assert "2/2¹ = 1." in page
    assert not re.search(r"\bnan\b", page)


@pytest.mark.usefixtures("undrawn")
def test_eight_seeds_and_more_give_verdicts(tmp_path: Path, add_run):
    for seed in range(8):
        add_run(tmp_path / "store", "meld", "css", seed)
    page = read(build(tmp_path / "store", tmp_path / "report"))
    assert "Verdicts over 8 seeds" in page
    assert "Estimation only" not in page


@pytest.mark.parametrize("methods", [("css",), ("css", "adam")])
def test_a_method_that_skipped_every_step_does_not_stop_the_report(tmp_path: Path, add_run, methods: tuple[str, ...]):
    for label in ("css", "adam"):
        folder = add_run(tmp_path / "store", "meld", label, epochs=3)
        if label in methods:
            steps = pd.read_parquet(folder / "steps.parquet").assign(skipped=True)
            steps.loc[:, [name for name in steps if name.startswith(("weight_", "cos_"))]] = float("nan")
            steps.to_parquet(folder / "steps.parquet")
    assert build(tmp_path / "store", tmp_path / "report").is_file()


def test_a_diverged_run_does_not_stop_the_report(tmp_path: Path, add_run, edit_json):
    for label in ("css", "adam"):
        for seed in range(2):
            folder = add_run(tmp_path / "store", "meld", label, seed)
    steps = pd.read_parquet(folder / "steps.parquet")
    steps.loc[20:, ["loss_fused", "total", "gradient_norm"]] = float("nan")
    steps.loc[20:, "skipped"] = True
    steps.to_parquet(folder / "steps.parquet")
    history = pd.read_parquet(folder / "history.parquet")
    history.loc[3:, ["train_loss_fused", "train_total", "validation_loss"]] = float("inf")
    history.to_parquet(folder / "history.parquet")
    conflict = pd.read_parquet(folder / "conflict.parquet")
    conflict.loc[2:, [c for c in conflict if c.startswith(("cos", "update"))]] = float("nan")
    conflict.to_parquet(folder / "conflict.parquet")
    edit_json(folder / "result.json", diverged=True, peak_memory=None)
    assert "Diverged: adam 1 of 2" in read(build(tmp_path / "store", tmp_path / "report"))


@pytest.mark.usefixtures("undrawn")
def test_a_current_report_is_recognised_and_a_change_noticed(small: Path, tmp_path: Path, add_run):
    out = tmp_path / "report"
    keys = [path.name for path in (small / "runs").iterdir()]
    assert not is_current(small, out)
    build(small, out)
    assert is_current(small, out)
    assert is_current(small, out, keys)
    assert not is_current(small, out, keys[1:])
    for name in ("result.json", "manifest.json", "steps.parquet"):
        file = small / "runs" / keys[0] / name
        content, status = file.read_bytes(), file.stat()
        file.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert not is_current(small, out), name
        file.write_bytes(content)
        assert is_current(small, out), "written at another time, and the same"
    unfinished = add_run(small, seed=5) / "result.json"
    build(small, out)
    unfinished.unlink()
    assert not is_current(small, out)


@pytest.mark.parametrize("damage", ["absent", "empty"])
@pytest.mark.parametrize("name", ["index.html", "report.md", "figures/forest.svg", "tables/accuracy.csv"])
def test_a_report_with_a_damaged_file_is_not_current(built: Path, tmp_path: Path, name: str, damage: str):
    out = shutil.copytree(built, tmp_path / "report")
    assert is_current(built.parent / "store", out)
    (out / name).unlink()
    if damage == "empty":
        (out / name).touch()
    assert not is_current(built.parent / "store", out)


def test_a_report_whose_marker_says_other_scores_is_not_current(built: Path, tmp_path: Path):
    marker = (out := shutil.copytree(built, tmp_path / "report")) / "report.json"
    changed = json.loads(read(marker))
    changed["scoreboards"][0]["answer"] += " Not so."
    marker.write_text(json.dumps(changed), encoding="utf-8")
    assert not is_current(built.parent / "store", out)


def test_asking_whether_a_report_is_current_loads_nothing_heavy(built: Path):
    code = (
        "import sys; from pathlib import Path; from reports import build, is_current;"
        f"assert is_current(Path({str(built.parent / 'store')!r}), Path({str(built)!r}));"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'pandas', 'matplotlib', 'jinja2', 'pyarrow',"
        " 'scipy', 'jaxtyping', 'torch', 'mlflow', 'css', 'baselines', 'benchmark'}))"
    )
    root = Path(reports.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_building_imports_nothing_else_of_the_project_and_no_pyplot(built: Path, tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from reports import build;"
        f"build(Path({str(built.parent / 'store')!r}), Path({str(tmp_path / 'out')!r}));"
        "print(sorted(m for m in sys.modules"
        " if m in ('torch', 'css', 'baselines', 'benchmark', 'matplotlib.pyplot')))"
    )
    root = Path(reports.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.usefixtures("undrawn")
def test_a_previous_report_is_replaced_whole(small: Path, tmp_path: Path):
    out = tmp_path / "report"
    build(small, out)
    (out / "figures/stale.svg").write_text("old", encoding="utf-8")
    build(small, out)
    assert not (out / "figures/stale.svg").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "store"]


@pytest.mark.usefixtures("undrawn")
def test_a_failed_build_leaves_the_previous_report_as_it_was(small: Path, tmp_path: Path):
    out = tmp_path / "report"
    build(small, out)
    before = contents(out)
    next(small.glob("runs/*/steps.parquet")).write_bytes(b"damage")
    with pytest.raises(ReportError):
        build(small, out)
    assert contents(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "store"]


@pytest.mark.parametrize("marker", [None, "{}", "not json"])
@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_is_not_a_report_is_never_replaced(small: Path, tmp_path: Path, marker: str | None):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.tex").write_text("years of work", encoding="utf-8")
    if marker is not None:
        (out / "report.json").write_text(marker, encoding="utf-8")
    with pytest.raises(ReportError, match="not a report"):
        build(small, out)
    assert read(out / "chapter.tex") == "years of work"


@pytest.mark.usefixtures("undrawn")
def test_an_empty_folder_may_become_a_report(small: Path, tmp_path: Path):
    (tmp_path / "deep/report").mkdir(parents=True)
    assert build(small, tmp_path / "deep/report").is_file()


def test_nothing_to_report_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "store").mkdir()
    with pytest.raises(ReportError, match="nothing to report"):
        build(tmp_path / "store", tmp_path / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


AUDIT = {"clean": False, "defects": ["visual: 1548 of 2352 <b>"], "remedies": ["zero-leaked"], "notes": 2}
REMEDY = {"remedy": "zero-leaked", "what": "copies become all-zero", "counts": {"test visual vectors": 1548}}


@pytest.mark.usefixtures("undrawn")
def test_every_report_says_what_the_audit_found(tmp_path: Path, add_run):
    add_run(tmp_path / "store", "meld", audit=AUDIT)
    add_run(tmp_path / "store", "iemocap", audit=AUDIT | {"defects": [], "remedies": [], "notes": 1})
    add_run(tmp_path / "store", "iemocap-sim")
    page = build(tmp_path / "store", tmp_path / "report")
    for text in (read(page).replace("&lt;b&gt;", "<b>"), read(page.with_name("report.md")).replace(r"\<b>", "<b>")):
        assert "Audit: 1 defect, 2 notes." in text
        assert "Defect: visual: 1548 of 2352 <b>." in text
        assert "A remedy: --drop-defects zero-leaked." in text
        assert "Audit: no defects, 1 note." in text
        assert text.count("Not audited.") == 1


@pytest.mark.usefixtures("undrawn")
def test_remedies_are_named_with_their_counts_wherever_the_data_are(tmp_path: Path, add_run):
    nothing = REMEDY | {"remedy": "zero-non-finite", "counts": {}}
    add_run(tmp_path / "store", "meld", published=True, remedies=[nothing, REMEDY])
    add_run(tmp_path / "store", "iemocap-sim", remedies=[])
    page = build(tmp_path / "store", tmp_path / "report")
    for text in (read(page), read(page.with_name("report.md"))):
        assert text.count("Remedy zero-leaked (copies become all-zero) changed 1548 test visual vectors.") == 2
        assert "Remedy zero-non-finite (copies become all-zero) changed nothing." in text
        assert "published features, but changed: scores are not comparable with published ones." in text
        assert "published features (meld, after remedies)" in text
        assert "iemocap-sim, after" not in text
    frame = pd.read_csv(tmp_path / "report/tables/accuracy.csv")
    assert set(frame["data"]) == {"real-published-remedied", "simulated"}


def test_ceilings_stand_beside_every_score_on_simulated_data_and_on_no_other(tmp_path: Path, add_run):
    for label in ("css", "adam"):
        add_run(tmp_path / "store", "iemocap-sim", label, ceiling=CEILING)
    add_run(tmp_path / "store", "meld")
    page = build(tmp_path / "store", tmp_path / "report")
    frame = pd.read_csv(tmp_path / "report/tables/accuracy.csv").set_index("dataset")
    assert list(frame.loc["iemocap-sim", "ceiling_test_weighted_f1"]) == pytest.approx([71.5] * 2)
    assert pd.isna(frame.loc["meld", "ceiling_weighted_f1"])
    text = read(page.with_name("report.md"))
    simulated, real = of_data_set(text, "iemocap-sim"), of_data_set(text, "meld")
    assert simulated.count("| 71.5 | 72.0 |") == 2
    assert "weighted F1 of 69.00 ± 0.20 % or an accuracy of 70.00 ± 0.10 %" in simulated
    assert "seeing text + audio with context" in simulated
    best = frame.loc["iemocap-sim", "selected_weighted_f1_mean"].max()
    room = f"{abs(71.5 - best):.1f} points {'more' if best <= 71.5 else 'less'}"
    assert f"reaches 71.5 % on this test set, {room}." in simulated
    assert "ceiling, dashed, what no model exceeds on this test set." in simulated
    assert "eiling:" not in real
    assert "ceiling" not in real
    assert "ceiling 71.5" in read(tmp_path / "report/figures/scores_iemocap-sim.svg")


@pytest.mark.usefixtures("undrawn")
def test_references_stand_beside_the_methods_and_the_ones_that_do_not_exceed_them_are_named(tmp_path: Path, add_run):
    for label, shift in (("css", 0.2), ("adam", 0.0)):
        for seed in range(2):
            add_run(tmp_path / "store", "meld", label, seed, references=REFERENCES, shift=shift)
    add_run(tmp_path / "store", "iemocap")
    page = build(tmp_path / "store", tmp_path / "report")
    frame = pd.read_csv(tmp_path / "report/tables/accuracy.csv").set_index("dataset")
    css, adam = (
        frame.loc["meld"].set_index("method").loc[label, "selected_weighted_f1_mean"] for label in ("css", "adam")
    )
    assert adam <= 100 * REFERENCES[1]["weighted_f1"] < css  # else the rest shows nothing
    assert set(frame.loc["meld", "logistic_weighted_f1"]) == {100 * REFERENCES[1]["weighted_f1"]}
    assert pd.isna(frame.loc["iemocap", "logistic_weighted_f1"])
    text = read(page.with_name("report.md"))
    meld, iemocap = of_data_set(text, "meld"), of_data_set(text, "iemocap")
    assert "| majority | — | 31.3 | 48.1 | — | — |" in meld
    assert f"| logistic | text + audio | {100 * REFERENCES[1]['weighted_f1']:.1f} | 60.0 | 0.01 | yes |" in meld
    reached = f"reaches {100 * REFERENCES[1]['weighted_f1']:.1f} %, the most frequent class 31.3 %."
    assert f"{reached} These do not exceed it in the mean: adam." in meld
    assert "logistic, dotted, a logistic regression on single utterances" in meld
    assert "logistic" not in iemocap.replace("a logistic regression whose strength", "")
    assert "dotted, a logistic" not in iemocap
    page_text = read(page)
    assert page_text.count(reached) == 1


@pytest.mark.parametrize(
    ("least", "said"), [(0.0, "Every method exceeds it in the mean."), (1.0, "No method exceeds it in the mean.")]
)
@pytest.mark.usefixtures("undrawn")
def test_references_below_and_above_all_methods(tmp_path: Path, add_run, least: float, said: str):
    known = [REFERENCES[1] | {"weighted_f1": least}]
    for label in ("css", "adam"):
        add_run(tmp_path / "store", "meld", label, references=known)
    text = read(build(tmp_path / "store", tmp_path / "report").with_name("report.md"))
    assert f"reaches {100 * least:.1f} %. {said}" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("audit", []),
        ("audit", {"defects": []}),
        ("ceiling", CEILING | {"accuracy": "high"}),
        ("references", [{"name": "logistic"}]),
        ("references", {}),
    ],
)
def test_what_is_damaged_is_said(tmp_path: Path, add_run, field: str, value: object):
    add_run(tmp_path / "store", "meld", **{field: value})
    with pytest.raises(ReportError, match=f"data.{field}"):
        build(tmp_path / "store", tmp_path / "report")
