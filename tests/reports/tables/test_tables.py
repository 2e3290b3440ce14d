import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.evidence.comparisons import compare
from reports.evidence.evidence import Evidence, collect
from reports.reading.runs import read_store
from reports.tables.conflict import blocks, conflict, directions
from reports.tables.model import Block, Column
from reports.tables.overview import TABLES, accuracy, cost, stability
from reports.tables.rendering import cell, latex, markdown, shown_blocks
from reports.text import MISSING, number


def evidence_of(store: Path, dataset: str) -> Evidence:
    comparisons, _ = compare(read_store(store).runs)
    return collect(next(c for c in comparisons if c.dataset == dataset))


def folders(store: Path, dataset: str, label: str) -> list[Path]:
    runs = [run for run in read_store(store).runs if (run.dataset, run.label) == (dataset, label)]
    return [run.folder for run in sorted(runs, key=lambda run: run.seed)]


def results(store: Path, dataset: str, label: str) -> list[dict]:
    return [json.loads((f / "result.json").read_text(encoding="utf-8")) for f in folders(store, dataset, label)]


def row(frame: pd.DataFrame, method: str) -> pd.Series:
    return frame.set_index("method").loc[method]


@pytest.mark.parametrize("label", ["css", "adam", "concat"])
def test_accuracy_summarises_each_score_over_seeds(store: Path, label: str):
    found = row(accuracy(evidence_of(store, "meld")), label)
    for where in ("selected", "last", "peak_test"):
        for score in ("weighted_f1", "accuracy", "macro_f1"):
            values = [result[where][score] for result in results(store, "meld", label)]
            name = f"{where}_{score}"
            low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
            expected = (np.mean(values), np.std(values, ddof=1), low, high)
            assert tuple(found[f"{name}_{part}"] for part in ("mean", "sd", "low", "high")) == pytest.approx(expected)
    gaps = [r["peak_test"]["weighted_f1"] - r["selected"]["weighted_f1"] for r in results(store, "meld", label)]
    assert found["gap_mean"] == pytest.approx(np.mean(gaps))
    assert (found["n"], found["data"]) == (3, "real-unpublished")


def test_stability_describes_the_final_score_and_the_losses(store: Path):
    found = row(stability(evidence_of(store, "meld")), "css")
    final = [r["selected"]["weighted_f1"] for r in results(store, "meld", "css")]
    assert found["final_sd"] == pytest.approx(np.std(final, ddof=1))
    assert found["final_variance"] == pytest.approx(np.var(final, ddof=1))
    assert found["final_range"] == pytest.approx(max(final) - min(final))
    histories = [pd.read_parquet(f / "history.parquet") for f in folders(store, "meld", "css")]
    losses = np.stack([h["train_loss_fused"] for h in histories])
    assert found["loss_variance_fused"] == pytest.approx(losses.var(axis=0, ddof=1).mean())
    late = [h["validation_weighted_f1"].iloc[-2:].std() for h in histories]
    assert found["late_validation_f1_sd_mean"] == pytest.approx(np.mean(late))
    steps = [pd.read_parquet(f / "steps.parquet") for f in folders(store, "meld", "css")]
    assert found["gradient_norm_q99_mean"] == pytest.approx(np.mean([s["gradient_norm"].quantile(0.99) for s in steps]))
    assert found["diverged_count"] == 0


def test_a_run_no_better_than_the_majority_class_diverged(store: Path, edit_json):
    folder = folders(store, "meld", "css")[0]
    selected = results(store, "meld", "css")[0]["selected"]
    edit_json(folder / "result.json", selected=selected | {"weighted_f1": 0.03})
    other = folders(store, "meld", "css")[1]
    edit_json(other / "result.json", diverged=True)
    assert row(stability(evidence_of(store, "meld")), "css")["diverged_count"] == 2


def test_conflict_summarises_within_a_run_before_it_summarises_over_runs(store: Path):
    found = row(conflict(evidence_of(store, "meld")), "css")
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
        found, prefix = row(conflict(evidence), "css"), ""
    else:
        found, prefix = blocks(evidence).set_index(["method", "block"]).loc["css", block], f"{block}."
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
    found = row(conflict(evidence_of(store, "meld")), "css")
    assert found["probe_similarity_fused_unimodal_mean"] == pytest.approx(1)
    assert found["probe_similarity_fused_distillation_mean"] == pytest.approx(2 * 2 * 6 / 40)


def test_every_aggregator_has_a_row_on_the_common_trajectory(store: Path):
    frame = directions(evidence_of(store, "meld"))
    assert list(zip(frame["method"], frame["aggregator"], frame["n"], strict=True)) == [
        ("adam", "pgm", 3),
        ("adam", "equal", 3),
    ]
    found = frame.set_index("aggregator").loc["pgm"]
    taken = [pd.read_parquet(f / "directions.parquet") for f in folders(store, "meld", "adam")]
    taken = [t[t["aggregator"] == "pgm"] for t in taken]
    worst = [t.filter(like="update_cos_").min(axis=1) for t in taken]
    distance = [np.linalg.norm(t.filter(like="weight_") - 1 / 3, axis=1).mean() for t in taken]
    assert found["worst_cos_mean"] == pytest.approx(np.mean([w.mean() for w in worst]))
    assert found["negative_mean"] == pytest.approx(np.mean([(w < 0).mean() for w in worst]))
    assert found["mean_cos_mean"] == pytest.approx(np.mean([t["mean_cos"].mean() for t in taken]))
    assert found["distance_mean"] == pytest.approx(np.mean(distance))
    page = markdown(TABLES[4].blocks[0], frame)
    assert "| method | aggregator | n |" in page
    assert "| adam | pgm | 3 |" in page
    assert "method & aggregator & $n$ &" in latex(TABLES[4].blocks[0], frame, "")


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
    found = row(conflict(evidence), "css")
    assert np.isfinite(found["probe_similarity_fused_unimodal_mean"])
    assert np.isnan(found["batch_similarity_fused_unimodal_mean"])
    assert np.isnan(found["displacement_worst_cos_mean"])
    for table in TABLES[3:5]:
        frame = table.frame(evidence)
        assert len(frame) == 0
        assert shown_blocks(table, frame) == []


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
    found = row(conflict(evidence_of(store, "meld")), "css")
    assert found["applied_weight_fused_mean"] == pytest.approx(np.mean(means))
    assert found["applied_distance_mean"] == pytest.approx(np.mean(distances))


def test_unusable_gradients_are_counted_a_run(store: Path, edit_json: Callable[..., None]):
    for folder, masked, skipped in zip(folders(store, "meld", "css"), (0, 3, 9), (0, 1, 2), strict=True):
        edit_json(
            folder / "result.json",
            masked_objectives={"fused": masked, "unimodal": 0, "distillation": 2 * masked},
            skipped_steps=skipped,
        )
    found = row(conflict(evidence_of(store, "meld")), "css")
    assert found["masked_objectives_mean"] == pytest.approx(12)
    assert found["skipped_steps_mean"] == pytest.approx(1)


def test_a_method_without_a_gramian_has_unknown_batch_cosines_and_uniform_weights(store: Path):
    evidence = evidence_of(store, "meld")
    frame = conflict(evidence)
    found = row(frame, "adam")
    assert np.isnan(found["batch_cos_fused_unimodal_mean"])
    assert np.isnan(found["batch_negative_fused_unimodal_mean"])
    assert found["batch_cos_fused_unimodal_n"] == 0
    assert found["applied_distance_mean"] == pytest.approx(0)
    batches = TABLES[2].blocks[1]
    assert f"| adam | 3 | {MISSING} |" in markdown(batches, frame)


def test_a_block_nobody_has_numbers_for_is_not_shown(tmp_path: Path, add_run):
    add_run(tmp_path, "meld", "adam")
    frame = conflict(evidence_of(tmp_path, "meld"))
    assert [block.title for block in shown_blocks(TABLES[2], frame)] == [
        "Probe",
        "Probe: quantiles of the cosine",
        "Probe: trend of the cosine, and lengths",
        "Weights and update",
    ]


def test_cost_is_in_seconds_passes_and_mebibytes(store: Path):
    found = row(cost(evidence_of(store, "meld")), "css")
    seconds = [r["timings"]["train"] for r in results(store, "meld", "css")]
    assert found["train_seconds_mean"] == pytest.approx(np.mean(seconds))
    assert found["seconds_per_epoch_mean"] == pytest.approx(np.mean(seconds) / 8)
    assert (found["peak_memory_mib_mean"], found["backward_passes_mean"]) == (512, 144)


def test_one_seed_shows_means_without_spread(tmp_path: Path, add_run):
    add_run(tmp_path, "meld", "css")
    evidence = evidence_of(tmp_path, "meld")
    for table in TABLES:
        frame = table.frame(evidence)
        text = "".join(markdown(block, frame) for block in shown_blocks(table, frame))
        assert "±" not in text.replace("mean ±", "")
        assert "nan" not in text
        assert "inf" not in text
    assert np.isnan(stability(evidence)["final_range"]).all()


@pytest.mark.parametrize(
    ("form", "text"), [("mean ± sd", "71.2 ± 0.4"), ("mean", "71.2"), ("interval", "[70.9, 71.5]")]
)
def test_cells_are_written_as_people_read_them(form, text: str):
    values = pd.Series({"f1_mean": 0.712, "f1_sd": 0.004, "f1_low": 0.709, "f1_high": 0.715})
    assert cell(Column("f1", "F1", form, 100.0, 1), values) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.04, 1, "0.0"), (-1.25, 2, "−1.25"), (12345.0, 0, "12,345"), (float("nan"), 1, MISSING)],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, digits: int, text: str):
    assert number(value, digits) == text


def test_a_tiny_plain_value_is_not_shown_as_zero():
    assert cell(Column("v", "v", "value", digits=5), pd.Series({"v": 4e-7})) == "4.0e−07"
    assert cell(Column("v", "v", digits=2), pd.Series({"v_mean": 1.0, "v_sd": 1e-5})) == "1.00 ± 0.00"


def test_latex_and_markdown_escape_names():
    frame = pd.DataFrame([{"method": "a_b|c&d", "n": 3, "x": 1.0}])
    block = Block("", (Column("x", "x, %", "value", digits=0, group="g"),))
    text = latex(block, frame, "SIMULATED DATA_100%")
    assert r"a\_b|c\&d & 3 & 1 \\" in text
    assert r"SIMULATED DATA\_100\%" in text
    assert r"a_b\|c&d" in markdown(block, frame)
