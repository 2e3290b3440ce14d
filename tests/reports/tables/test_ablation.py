"""The table of ablations: which methods are variants, what each lacks in words, and its difference to the whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.analysis import analyse
from reports.inference.single_streams import stream_words
from reports.tables.ablation import ablation
from reports.tables.factorial import factorial
from reports.tables.model import Table
from tests.reports.synthetic_runs import write_run

SEEDS = 8
PAPER = {"name": "paper", "options": {"modality_aware": True, "interaction_aware": True}}
VARIANTS: dict[str, dict[str, Any]] = {
    "css": {"encoder": PAPER},
    "pcgrad": {"encoder": PAPER},  # something else in PGM's place
    "tensor": {"encoder": PAPER},
    "adam": {"encoder": PAPER},
    "concat": {"encoder": PAPER},
    "css-shared": {"encoder": PAPER},
    "no stage": {"encoder": {**PAPER, "options": PAPER["options"] | {"interaction_aware": False}}, "label": "css"},
    "no L3": {"encoder": PAPER, "without": ("distillation",), "label": "css"},
    "pair": {"encoder": {"name": "pair-text-visual", "options": {}}, "label": "css"},
    "text-only": {
        "encoder": {"name": "single-text", "options": {}},
        "without": ("unimodal", "distillation"),
        "label": "text",
    },
    "other rank": {"encoder": PAPER, "label": "css(rank=2)"},
}
LACKING = {
    "css": "—",
    "no stage": "interaction-aware stage",
    "pair": "audio",
    "no L3": "L3 (distillation)",
    "css-shared": "SPF's own projection of each modality (one is shared)",
    "adam": "PGM (equal weights instead)",
    "concat": "SPF (concatenation instead); PGM (equal weights instead)",
    "text-only": "audio and visual; L2 (unimodal losses); L3 (distillation); SPF; PGM (equal weights instead)",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ablation")
    for seed in range(SEEDS):
        for name, parts in VARIANTS.items():
            more = {key: value for key, value in parts.items() if key != "label"}
            write_run(root, "meld-sim", parts.get("label", name), seed, epochs=3, named=name, **more)
    return root


def table_of(store: Path) -> Table:
    analysis = analyse(store)
    table = ablation(analysis.validated[0], analysis.inference)
    assert table is not None
    return table


def test_variants_stand_below_the_whole_with_what_they_lack_and_others_do_not(store: Path) -> None:
    rows = table_of(store).listings[0].rows
    assert [row[:2] for row in rows] == list(LACKING.items())


def test_differences_are_the_whole_minus_the_variant_with_the_verdict_on_it(store: Path) -> None:
    analysis = analyse(store)
    evidence, frame = analysis.validated[0], table_of(store).frame.set_index("method")
    whole = evidence.values("css", "selected_weighted_f1")
    for label in list(LACKING)[1:]:
        expected = 100 * (whole - evidence.values(label, "selected_weighted_f1"))
        row = frame.loc[label]
        assert row["difference"] == pytest.approx(expected.mean())
        assert row["low"] < row["difference"] < row["high"]
        contrast = analysis.inference.find("meld-sim", "css", label)
        assert contrast is not None
        assert row["verdict"] == contrast.judgement.verdict.value
        assert row["n"] == SEEDS
    assert np.isnan(frame.loc["css", "difference"])


def test_a_variant_is_no_gap_in_a_factorial_grid(store: Path) -> None:
    assert not any("one method" in sentence for sentence in factorial(analyse(store).validated[0]).sentences)


def test_one_modality_alone_is_no_stream_that_has_seen_the_others(store: Path) -> None:
    assert stream_words(analyse(store).validated[0].comparison) == []


def test_without_a_variant_there_is_no_table(tmp_path: Path) -> None:
    for label in ("css", "pcgrad"):
        write_run(tmp_path, "meld-sim", label)
    analysis = analyse(tmp_path)
    assert ablation(analysis.validated[0], analysis.inference) is None
