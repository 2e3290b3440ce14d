"""The table of missing modalities: its numbers are those of the files, paired by seed."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reports.evidence.evidence import Evidence
from reports.reading.runs import read_store
from reports.tables.robustness import robustness
from tests.reports.inference.preregistrations import evidence_of
from tests.reports.synthetic_runs import write_robustness, write_run

INTACT = [0.60, 0.62, 0.58, 0.61]
ZEROED = [0.50, 0.55, 0.49, 0.52]
SHUFFLED = [0.52, 0.53, 0.50, 0.56]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for seed, (intact, zeroed, shuffled) in enumerate(zip(INTACT, ZEROED, SHUFFLED, strict=True)):
        folder = write_run(tmp_path, "meld", "css", seed, epochs=2, steps_per_epoch=2)
        write_robustness(folder, intact, {("audio", "zeroed"): zeroed, ("audio", "shuffled"): shuffled})
        write_run(tmp_path, "meld", "adam", seed, epochs=2, steps_per_epoch=2)
    return tmp_path


def evidence(store: Path) -> Evidence:
    (only,) = evidence_of(store)
    return only


def test_drops_are_paired_by_seed(store: Path) -> None:
    table = robustness(evidence(store))
    assert table is not None
    assert table.sentences == ("4 runs not evaluated: cssbench robustness does so.",)
    rows = table.frame.set_index(["method", "modality", "how"])
    assert list(rows.index) == [("css", "audio", "zeroed"), ("css", "audio", "shuffled")]
    for how, scores in (("zeroed", ZEROED), ("shuffled", SHUFFLED)):
        row, drop = rows.loc["css", "audio", how], 100 * (np.array(INTACT) - scores)
        assert row["n"] == 4
        assert row["drop"] == pytest.approx(drop.mean())
        low, high = stats.ttest_1samp(drop, 0).confidence_interval(0.95)
        assert (row["drop_low"], row["drop_high"]) == pytest.approx((low, high))
        assert row["intact_weighted_f1_mean"] == pytest.approx(np.mean(INTACT))
        assert row["missing_weighted_f1_sd"] == pytest.approx(np.std(scores, ddof=1))
    assert table.listings[0].rows[0][:6] == ("css", "audio", "zeroed", "4", "60.2", "51.5")
    assert table.listings[0].rows[0][6].startswith("8.75 [")


def test_without_an_evaluation_there_is_no_table(tmp_path: Path) -> None:
    write_run(tmp_path, "meld", "css", 0, epochs=2, steps_per_epoch=2)
    assert robustness(evidence(tmp_path)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"intact": {}}, "it is not what its checksum says"),
        ({"checksum": "0"}, "it is not what its checksum says"),
        (None, "it is of another run, or of other weights"),
    ],
)
def test_a_changed_file_damages_its_run_and_says_what_to_delete(store: Path, change: object, message: str) -> None:
    first = next(run for run in read_store(store).runs if run.robustness is not None)
    path = first.folder / "robustness.json"
    if isinstance(change, dict):
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    else:  # whole, and of a run whose weights are others now
        result = json.loads((first.folder / "result.json").read_text())
        result["digests"]["selected_weights"] = "5" * 64
        (first.folder / "result.json").write_text(json.dumps(result))
    (said,) = read_store(store).damaged.values()
    assert message in said

    assert "delete it, and cssbench robustness makes it again" in said
