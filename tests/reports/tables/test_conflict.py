from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.reading.runs import read_store
from reports.tables.conflict import conflict
from reports.tables.conflict_blocks import conflict_blocks
from reports.tables.directions import directions
from reports.tables.rendering import markdown
from reports.text import MISSING
from tests.reports.tables.stores import evidence_of, folders, row


def test_conflict_summarises_within_a_run_before_it_summarises_over_runs(store: Path):
    found = row(conflict(evidence_of(store, "meld")).frame, "css")
    probes = [pd.read_parquet(f / "conflict.parquet") for f in folders(store, "meld", "css")]
    for pair in ("fused_unimodal", "fused_distillation", "unimodal_distillation"):
        means = [p[f"cos_{pair}"].mean() for p in probes]
        low, high = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
        expected = (np.mean(means), low, high)
        assert tuple(found[f"probe_cos_{pair}_{part}"] for part in ("mean", "low", "high")) == pytest.approx(expected)
        for name, threshold in (("negative", 0.0), ("below_tenth", -0.1)):
            shares = [(p[f"cos_{pair}"] < threshold).mean() for p in probes]
            assert found[f"probe_{name}_{pair}_mean"] == pytest.approx(np.mean(shares))
    for what in ("update", "displacement"):
        worst = [p.filter(regex=f"^{what}_cos_").min(axis=1).dropna() for p in probes]
        assert found[f"{what}_worst_cos_mean"] == pytest.approx(np.mean([w.mean() for w in worst]))
        assert found[f"{what}_negative_mean"] == pytest.approx(np.mean([(w < 0).mean() for w in worst]))


@pytest.mark.parametrize(("file", "series"), [("conflict", "probe"), ("steps", "batch")])
@pytest.mark.parametrize("block", [None, "inputs", "reduction"])
def test_distribution_trend_and_lengths_of_every_pair(store: Path, file: str, series: str, block: str | None):
    evidence = evidence_of(store, "meld")
    if block is None:
        found, prefix = row(conflict(evidence).frame, "css"), ""
    else:
        found, prefix = conflict_blocks(evidence).frame.set_index(["method", "block"]).loc["css", block], f"{block}."
    frames = [pd.read_parquet(f / f"{file}.parquet") for f in folders(store, "meld", "css")]
    assert found["n"] == 3
    for pair in ("fused_unimodal", "fused_distillation", "unimodal_distillation"):
        cosines = [frame[f"{prefix}cos_{pair}"] for frame in frames]
        expected = {"cos": [c.mean() for c in cosines], "sd": [c.std() for c in cosines]}
        expected |= {"negative": [(c < 0).mean() for c in cosines], "below_tenth": [(c < -0.1).mean() for c in cosines]}
        for level in (5, 25, 50, 75, 95):
            expected[f"q{level:02}"] = [np.percentile(c, level) for c in cosines]
        last = frames[0]["step"].max()
        for number_, third in enumerate(("early", "middle", "late")):
            low, high = number_ * (last + 1) / 3, (number_ + 1) * (last + 1) / 3
            during = [(f["step"] >= low) & (f["step"] < high) for f in frames]
            expected[third] = [c[d].mean() for c, d in zip(cosines, during, strict=True)]
        a, b = pair.split("_")
        if f"{prefix}norm_{a}" in frames[0]:
            norms = [(f[f"{prefix}norm_{a}"], f[f"{prefix}norm_{b}"]) for f in frames]
            expected["similarity"] = [(2 / (x / y + y / x)).mean() for x, y in norms]
        else:
            assert np.isnan(found[f"{series}_similarity_{pair}_mean"])
        for what, values in expected.items():
            half = stats.t.ppf(0.975, 2) * stats.sem(values)
            name = f"{series}_{what}_{pair}"
            interval = (np.mean(values) - half, np.mean(values) + half)
            assert found[f"{name}_mean"] == pytest.approx(np.mean(values))
            assert (found[f"{name}_low"], found[f"{name}_high"]) == pytest.approx(interval)


def test_magnitude_similarity_is_one_for_equal_lengths_and_falls_with_their_ratio(store: Path):
    for folder in folders(store, "meld", "css"):
        probes = pd.read_parquet(folder / "conflict.parquet")
        probes[["norm_fused", "norm_unimodal", "norm_distillation"]] = (2.0, 2.0, 6.0)
        probes.to_parquet(folder / "conflict.parquet")
    found = row(conflict(evidence_of(store, "meld")).frame, "css")
    assert found["probe_similarity_fused_unimodal_mean"] == pytest.approx(1)
    assert found["probe_similarity_fused_distillation_mean"] == pytest.approx(2 * 2 * 6 / 40)


def test_runs_without_what_is_recorded_since_are_still_reported(store: Path):
    for folder in (run.folder for run in read_store(store).runs):
        for name in ("steps", "conflict"):
            frame = pd.read_parquet(folder / f"{name}.parquet")
            old = [c for c in frame if "." not in c and not c.startswith("displacement")]
            if name == "steps":
                old = [c for c in old if not c.startswith("norm_")]
            frame[old].to_parquet(folder / f"{name}.parquet")
        (folder / "directions.parquet").unlink(missing_ok=True)
    evidence = evidence_of(store, "meld")
    found = row(conflict(evidence).frame, "css")
    assert np.isfinite(found["probe_similarity_fused_unimodal_mean"])
    assert np.isnan(found["batch_similarity_fused_unimodal_mean"])
    assert np.isnan(found["displacement_worst_cos_mean"])
    for table in (conflict_blocks(evidence), directions(evidence)):
        assert len(table.frame) == 0
        assert not table.shown


def test_weights_are_read_from_steps_that_were_not_skipped(store: Path):
    folder = folders(store, "meld", "css")[0]
    steps = pd.read_parquet(folder / "steps.parquet")
    steps.loc[3, ["weight_fused", "weight_unimodal", "weight_distillation", "gradient_norm"]] = 0.0
    steps.loc[3, "skipped"] = True
    steps.to_parquet(folder / "steps.parquet")
    means, distances = [], []
    for f in folders(store, "meld", "css"):
        frame = pd.read_parquet(f / "steps.parquet")
        gamma = frame[~frame["skipped"]].filter(like="weight_").to_numpy()
        means.append(gamma[:, 0].mean())
        distances.append(np.sqrt(((gamma - 1 / 3) ** 2).sum(axis=1)).mean())
    found = row(conflict(evidence_of(store, "meld")).frame, "css")
    assert found["applied_weight_fused_mean"] == pytest.approx(np.mean(means))
    assert found["applied_distance_mean"] == pytest.approx(np.mean(distances))


def test_unusable_gradients_are_counted_a_run(store: Path, edit_json: Callable[..., None]):
    for folder, masked, skipped in zip(folders(store, "meld", "css"), (0, 3, 9), (0, 1, 2), strict=True):
        edit_json(
            folder / "result.json",
            masked_objectives={"fused": masked, "unimodal": 0, "distillation": 2 * masked},
            skipped_steps=skipped,
        )
    found = row(conflict(evidence_of(store, "meld")).frame, "css")
    assert found["masked_objectives_mean"] == pytest.approx(12)
    assert found["skipped_steps_mean"] == pytest.approx(1)


def test_a_method_without_a_gramian_has_unknown_batch_cosines_and_uniform_weights(store: Path):
    evidence = evidence_of(store, "meld")
    table = conflict(evidence)
    found = row(table.frame, "adam")
    assert np.isnan(found["batch_cos_fused_unimodal_mean"])
    assert np.isnan(found["batch_negative_fused_unimodal_mean"])
    assert found["batch_cos_fused_unimodal_n"] == 0
    assert found["applied_distance_mean"] == pytest.approx(0)
    assert table.listings[1].title == "Training batches"
    assert f"| adam | 3 | {MISSING} |" in markdown(table)


def test_a_block_nobody_has_numbers_for_is_not_shown(tmp_path: Path, add_run):
    add_run(tmp_path, "meld", "adam")
    assert [listing.title for listing in conflict(evidence_of(tmp_path, "meld")).listings] == [
        "Probe",
        "Probe: quantiles of the cosine",
        "Probe: trend of the cosine, and lengths",
        "Weights and update",
    ]
