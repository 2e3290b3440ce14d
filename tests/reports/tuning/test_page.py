"""The page of tuning as a whole, and what the rest of the report makes of searches and of tuned methods."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import reports
from reports import ReportError, build, is_current
from reports.evidence.comparisons import compare
from reports.evidence.evidence import collect
from reports.inference.claims import check_claims
from reports.inference.contrasts import infer
from reports.reading.runs import read_store
from tests.reports.synthetic_runs import write_run
from tests.reports.tuning.synthetic_studies import LR, SEEDS, STUDY, trial, write_studies, write_study

TUNED = {"study": STUDY, "base": {"lr": 1e-4}}
SIMULATED = "SIMULATED DATA (iemocap-sim)"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tuning")
    write_studies(root / "store")
    for seed in range(2):
        write_run(root / "store", "iemocap-sim", "css", seed)
        write_run(root / "store", "iemocap-sim", "css", seed, shift=0.01, tuned=TUNED, training={"lr": 1e-3})
    failed = write_run(root / "store", "iemocap-sim", "adam", SEEDS[0])
    (failed / "result.json").unlink()
    (failed / "error.txt").write_text("MemoryError: <b>too large</b>\n", encoding="utf-8")
    build(root / "store", root / "report")
    return root / "report"


def test_the_report_gains_a_page_with_tables_and_figures(built: Path):
    names = {name for name in contents(built) if "tuning" in name}
    assert {"tuning.html", "tuning.md"} < names
    tables = {f"tables/{name}.{suffix}" for name in ("tuning", "tuning_budget") for suffix in ("csv", "md", "tex")}
    assert tables < names
    kinds = ("rank-order", "importance", "slices", "contours", "parallel", "budget")
    figures = {re.sub("-[0-9a-f]{6}[.]", ".", name) for name in names}  # without the hash that keeps studies apart
    own = {f"figures/tuning_{kind}_iemocap-sim-css-quick.{suffix}" for kind in kinds for suffix in ("svg", "png")}
    assert own < figures
    assert {"figures/tuning_front_two.svg", "figures/tuning_fair-g-iemocap-sim.svg"} < figures


def test_every_caption_and_figure_names_the_data(built: Path):
    html = read(built / "tuning.html")
    captions = re.findall(r"<(caption|figcaption)>(.*?)</\1>", html, re.DOTALL)
    assert len(captions) > 15
    assert all(SIMULATED in text for _, text in captions)
    assert all(SIMULATED in read(path) for path in built.glob("figures/tuning_*.svg"))
    assert "No conversation here is real" in html


@pytest.mark.parametrize("page", ["tuning.html", "tuning.md"])
def test_the_page_says_what_chose_and_what_did_not(built: Path, page: str):
    text = " ".join(read(built / page).split()).replace("&#39;", "'")
    assert "Settings were chosen on validation data alone" in text
    assert "Test scores on this page were not used by any search and are no result" in text
    assert "winner's curse" in text
    assert "test (not used)" in text
    assert "exploratory" in text
    assert "is the figure to quote" in text
    assert "css − adam in test F1" in text
    assert "The same in all methods" in text
    assert "MemoryError" in text
    assert not re.search(r"\bnan\b", text)


def test_the_page_needs_nothing_but_the_report_beside_it(built: Path):
    class Checker(HTMLParser):
        ids: list[str] = []  # noqa: RUF012
        links: set[str] = set()  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in {"link", "iframe", "img", "object", "image"}
            for name, value in attrs:
                if name.endswith(("href", "src")):
                    self.links.add(str(value))
                if name == "id":
                    self.ids.append(str(value))

    html = read(built / "tuning.html")
    checker = Checker()
    checker.feed(html)
    assert len(checker.ids) == len(set(checker.ids))
    assert {link for link in checker.links if not link.startswith(("#", "tables/"))} == {"index.html"}
    assert all((built / link).is_file() for link in checker.links if not link.startswith("#"))
    assert {link[1:] for link in checker.links if link.startswith("#")} <= set(checker.ids)
    assert set(re.findall(r'url\(#([^)"]+)\)', html)) <= set(checker.ids)
    assert "<b>too" not in html
    assert 'href="tuning.html"' in read(built / "index.html")
    assert "(tuning.md)" in read(built / "report.md")


def test_no_run_of_a_search_is_in_a_comparison(built: Path):
    frame = pd.read_csv(built / "tables/accuracy.csv")
    assert dict(zip(frame["method"], frame["n"], strict=True)) == {"css": 2, "css [tuned]": 2}
    assert "MemoryError" not in read(built / "index.html")
    text = read(built / "report.md")
    assert "Tuned settings: css [tuned] from study iemocap-sim/css/quick" in text
    assert re.search(r"- css \[tuned\]: spf\+pgm, lr 0\.001, from study iemocap-sim/css/quick", text)
    assert "lr 0.0001, budget" in text  # the preset's, though a tuned method has another


def test_pruned_trials_have_no_mean_in_the_file_of_all_trials(built: Path):
    frame = pd.read_csv(built / "tables/tuning.csv")
    own = frame[frame["study"] == STUDY]
    assert len(own) == 26
    pruned = own["state"] == "pruned"
    assert 0 < pruned.sum() < 20
    assert own.loc[pruned, ["validation_mean", "test_mean"]].isna().all(axis=None)
    assert own.loc[~pruned, ["validation_mean", "test_mean"]].notna().all(axis=None)
    assert own["chosen"].sum() == 1


def test_another_process_draws_the_same_bytes_without_torch_or_the_project(built: Path, tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from reports import build;"
        f"build(Path({str(built.parent / 'store')!r}), Path({str(tmp_path / 'again')!r}));"
        "print(sorted(m for m in sys.modules"
        " if m in ('torch', 'css', 'baselines', 'benchmark', 'matplotlib.pyplot')))"
    )
    root = Path(reports.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.stdout.strip() == "[]", done.stderr
    assert done.stderr == ""
    again, first = contents(tmp_path / "again"), contents(built)
    assert [name for name in first if again.get(name) != first[name]] == []
    assert set(again) == set(first)


@pytest.mark.usefixtures("undrawn")
def test_a_report_is_current_until_a_study_changes(tmp_path: Path, edit_json: Callable[..., None]):
    path = write_study(tmp_path / "store", STUDY, [trial(0, {"lr": 1e-4}, [0.6] * 3)], {"lr": LR})
    build(tmp_path / "store", tmp_path / "report")
    assert is_current(tmp_path / "store", tmp_path / "report")
    os.utime(path)
    assert is_current(tmp_path / "store", tmp_path / "report")  # written again with the same content
    edit_json(path, sampler="qmc")
    assert not is_current(tmp_path / "store", tmp_path / "report")


@pytest.mark.usefixtures("undrawn")
def test_of_a_store_of_searches_alone_the_page_of_tuning_is_the_report(tmp_path: Path):
    write_study(tmp_path / "store", STUDY, [trial(0, {"lr": 1e-4}, [0.6] * 3)], {"lr": LR})
    page = read(build(tmp_path / "store", tmp_path / "report"))
    assert "What did tuning buy?" in page
    assert re.search(r"<dt>studies</dt><dd>1</dd>", page)
    names = set(contents(tmp_path / "report"))
    assert {"index.html", "report.md", "tables/tuning_budget.csv"} < names
    assert not {"tuning.html", "tuning.md", "tables/claims.csv"} & names
    linked = set(re.findall(r'href="([^"#]+)', page))
    assert linked <= names
    next((tmp_path / "store/studies").iterdir()).unlink()
    with pytest.raises(ReportError, match=r"all 3 complete runs in .* are of searches"):
        build(tmp_path / "store", tmp_path / "report")


@pytest.mark.usefixtures("undrawn")
def test_a_failed_run_beside_searches_alone_is_on_the_first_page(tmp_path: Path):
    write_study(tmp_path / "store", STUDY, [trial(0, {"lr": 1e-4}, [0.6] * 3)], {"lr": LR})
    failed = write_run(tmp_path / "store", "iemocap-sim", "adam", 0)
    (failed / "result.json").unlink()
    (failed / "error.txt").write_text("MemoryError: too large\n", encoding="utf-8")
    page = read(build(tmp_path / "store", tmp_path / "report"))
    assert "MemoryError" in page
    assert 'href="tuning.html"' in page


def compared(store: Path):
    comparisons, omitted = compare(read_store(store).runs)
    assert not omitted  # a tuned method is under the budget of the preset
    return [collect(comparison) for comparison in comparisons]


def test_tuned_methods_are_compared_with_their_like_and_with_their_defaults(tmp_path: Path):
    for label in ("css", "adam"):
        for seed in range(2):
            write_run(tmp_path, label=label, seed=seed)
            write_run(tmp_path, label=label, seed=seed, tuned=TUNED, training={"lr": 1e-3})
    evidence = compared(tmp_path)
    assert [m.label for m in evidence[0].comparison.methods] == ["css", "css [tuned]", "adam", "adam [tuned]"]
    inference = infer(evidence, ())
    assert [(c.a, c.b) for c in inference.contrasts] == [
        ("css", "adam"), ("css [tuned]", "adam [tuned]"), ("css [tuned]", "css"), ("adam [tuned]", "adam"),
    ]  # fmt: skip
    labels = {part.label for claim in check_claims(evidence, inference) for part in claim.parts}
    assert "css − adam, weighted F1" in labels
    assert not any("tuned" in label for label in labels)


def test_what_sets_budgets_apart_is_told_in_the_presets_settings(tmp_path: Path):
    write_run(tmp_path, tuned=TUNED, training={"lr": 1e-3})
    write_run(tmp_path, epochs=3, created="2025-01-01T00:00:00+00:00")
    _, (omitted,) = compare(read_store(tmp_path).runs)
    assert omitted.differences == ("epochs: 3 (shown: 8)",)


def test_a_run_that_says_it_is_tuned_has_to_say_by_what(tmp_path: Path):
    write_run(tmp_path, tuned={"study": STUDY})
    with pytest.raises(ReportError, match=r"tuned\.base is missing"):
        read_store(tmp_path)


def test_final_runs_are_under_the_heading_that_the_page_points_to(built: Path):
    lead, rest = read(built / "tuning.md").split("“Final runs”", maxsplit=1)
    assert "stands under" in " ".join(lead.split())
    assert "#### Final runs, on seeds that no search saw" in rest
