"""The scoreboards of a report, and that its marker carries them."""

import json
from pathlib import Path

import pytest

from benchmark.workflows.outcome import Outcome
from reports import build, read_scoreboards
from reports.analysis import analyse
from reports.inference.answer import answers
from reports.inference.scoreboards import scoreboards
from tests.reports.synthetic_runs import WriteRun, edit

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_scoreboard_has_the_numbers_of_the_comparisons(tmp_path: Path, add_run: WriteRun) -> None:
    for seed in range(8):
        for label, shift in (("css", 0.0), ("concat", 0.1)):
            add_run(tmp_path, "meld", label, seed, epochs=3, shift=shift)
    analysis = analyse(tmp_path)
    told = answers(analysis.validated, analysis.inference)
    (board,) = scoreboards(analysis.validated, analysis.inference, told)
    concat, css = board.scores
    contrast = analysis.inference.contrasts[0]
    assert (concat.method, css.method, board.reference) == ("concat", "css", "css")
    assert concat.difference == contrast.estimate.mean
    assert (concat.low, concat.high) == tuple(contrast.interval)
    assert concat.verdict.endswith(contrast.verdict)
    assert css.difference is None
    values = analysis.validated[0].values("css", "selected_weighted_f1")
    assert (css.mean, css.sd) == (pytest.approx(100 * values.mean()), pytest.approx(100 * values.std()))
    assert (board.seeds, board.needed) == (8, 8)
    assert board.seconds_a_seed == pytest.approx(2 * 23.5)
    assert board.answer == told[0].in_words


def test_one_seed_has_no_spread_and_a_run_that_diverged_is_counted(tmp_path: Path, add_run: WriteRun) -> None:
    folders = [add_run(tmp_path / "store", "meld", label) for label in ("css", "adam")]
    edit(folders[1] / "result.json", diverged=True)
    build(tmp_path / "store", tmp_path / "report")
    (board,) = read_scoreboards(tmp_path / "report")
    assert {score.method: score.diverged for score in board.scores} == {"css": 0, "adam": 1}
    assert all(score.sd is None and score.low is None for score in board.scores)
    assert "NaN" not in (tmp_path / "report" / "report.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("boards", [None, 3, [{"dataset": "meld"}], [{"scores": [{}]}]])
def test_a_marker_of_another_version_has_none(store: Path, tmp_path: Path, boards: object) -> None:
    build(store, tmp_path / "report")
    assert len(read_scoreboards(tmp_path / "report")) == 2
    marker = tmp_path / "report" / "report.json"
    marker.write_text(json.dumps(json.loads(marker.read_text(encoding="utf-8")) | {"scoreboards": boards}))
    assert read_scoreboards(tmp_path / "report") == []


def test_a_notebook_shows_a_row_a_method_and_names_as_text(tmp_path: Path, add_run: WriteRun) -> None:
    for label in ("css", "<b>mine</b>"):
        add_run(tmp_path / "store", "meld", label)
    page = build(tmp_path / "store", tmp_path / "report")
    (board,) = read_scoreboards(tmp_path / "report")
    shown = board._repr_html_()
    assert shown.count("<tr>") == 3
    assert "<td>&lt;b&gt;mine&lt;/b&gt;</td>" in shown
    assert "<b>" not in shown
    outcome = Outcome(store=tmp_path / "store", keys=["a", "b"], made=2, failed=1, report=page)
    shown = outcome._repr_html_()
    assert "2 runs made, 1 of them failed, 2 asked for." in shown
    assert f'<a href="{page.as_uri()}">' in shown
    assert board._repr_html_() in shown
    assert "interrupted" in Outcome(store=tmp_path, keys=[], interrupted=True)._repr_html_()
