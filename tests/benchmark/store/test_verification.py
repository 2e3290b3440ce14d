"""Two folders of one run: the first difference is found, whichever file it is in."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmark.store.verification import compare
from tests.benchmark.synthetic import rewrite, rewrite_result, write_run

KEY = "00000000000000aa"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of the same run, equal to the bit."""
    return write_run(tmp_path / "stored", KEY), write_run(tmp_path / "again", KEY)


def test_equal_folders_have_no_difference(pair: tuple[Path, Path]) -> None:
    found = compare(*pair)
    assert (found.first, found.environment, found.score) == (None, (), None)
    assert found.passes(None)


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        (
            [("steps", "loss_fused", 3, 9.5)],
            "epoch 2, step 3: loss_fused is 9.5 now, 3.73 in the store",
        ),
        ([("steps", "cos_fused_unimodal", 5, 0.5)], "epoch 3, step 5: cos_fused_unimodal is 0.5 now, nan in the store"),
        ([("history", "validation_weighted_f1", 1, 0.5)], "epoch 2: validation_weighted_f1 is 0.5 now"),
        ([("conflict", "norm_fused", 2, 9.0)], "epoch 3, step 4: norm_fused is 9.0 now"),
        ([("test_predictions", "epoch_2", 0, 1)], "epoch 2: predicted classes of 1 of 2 test utterances"),
        ([("predictions", "probability_0", 1, 0.3)], "at the selected epoch: probability_0 of 1 of 2 test utterances"),
        ([("test_predictions", "conversation", 0, "other")], "the conversation of 1 of 2 test utterances"),
        ([("history", "validation_weighted_f1", 0, 0.5), ("steps", "loss_fused", 1, 9.5)], "epoch 1, step 1: loss"),
        ([("test_predictions", "epoch_1", 0, 1), ("steps", "loss_fused", 2, 9.5)], "epoch 1: predicted classes"),
        ([("steps", "loss_fused", 4, 9.5), ("conflict", "norm_fused", 2, 9.0)], "epoch 3, step 4: norm_fused"),
        ([("steps", "loss_fused", 2, 9.5), ("conflict", "norm_fused", 2, 9.0)], "epoch 2, step 2: loss_fused"),
    ],
)
def test_the_first_epoch_and_quantity_are_named(
    pair: tuple[Path, Path], changes: list[tuple[str, str, int, Any]], first: str
) -> None:
    for change in changes:
        rewrite(pair[1], *change)
    assert (compare(*pair).first or "").startswith(first)
    assert not compare(*pair).passes(None)


def test_weights_differ_where_no_table_does(pair: tuple[Path, Path]) -> None:
    rewrite_result(pair[1], digests={"weights": "0" * 64, "history": "h" * 64, "predictions": "p" * 64})
    assert compare(*pair).first == f"after the last epoch: weights ({'0' * 12} now, {'w' * 12} in the store)"


def test_a_score_that_is_not_that_of_the_predictions_is_a_difference(pair: tuple[Path, Path]) -> None:
    result = json.loads((pair[0] / "result.json").read_text())
    rewrite_result(pair[0], selected=result["selected"] | {"weighted_f1": 0.99})
    found = compare(*pair)
    assert found.first == "selected of result.json, though made from the same predictions"
    assert found.score is not None
    assert found.score[0] == "selected weighted_f1"


def test_a_table_of_another_shape_is_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(pair[1] / "steps.parquet")
    pq.write_table(table.slice(0, 4), pair[1] / "steps.parquet")
    assert compare(*pair).first == "steps.parquet has 6 rows in the store and 4 now"
    pq.write_table(table.drop_columns("loss_fused"), pair[1] / "steps.parquet")
    assert compare(*pair).first == "steps.parquet has other columns: loss_fused"


def test_a_tolerance_compares_scores_and_only_where_bits_differ(pair: tuple[Path, Path]) -> None:
    rewrite(pair[1], "steps", "loss_fused", 0, 9.5)
    assert compare(*pair).passes(0.0)  # every score is the same
    result = json.loads((pair[1] / "result.json").read_text())
    rewrite_result(pair[1], last=result["last"] | {"accuracy": result["last"]["accuracy"] + 0.02})
    found = compare(*pair)
    assert found.score is not None
    assert found.score[0] == "last accuracy"
    assert [found.passes(t) for t in (None, 0.0, 0.019, 0.021, math.inf)] == [False, False, False, True, True]


def test_what_differs_in_the_environment_is_named(pair: tuple[Path, Path]) -> None:
    manifest = json.loads((pair[1] / "manifest.json").read_text())
    manifest["versions"]["torch"] = "2.13"
    manifest["hardware"]["cores"] = 64
    manifest["hardware"]["kernels"] = "AVX2"  # the run in the store was made before this was recorded
    manifest["source"] = "t" * 64
    (pair[1] / "manifest.json").write_text(json.dumps(manifest))
    assert sorted(compare(*pair).environment) == [
        "cores: 2 in the store, 64 now",
        f"source: {'s' * 12} in the store, {'t' * 12} now",
        "torch: 2.9 in the store, 2.13 now",
    ]
