"""Test vectors are replaced by copies of training vectors: the audit counts them, and test scores rise."""

import numpy as np

from benchmark.audit.audit import audit
from benchmark.data.datasets import dataset
from benchmark.data.simulation.spec import MODALITIES
from tests.controls.inference import over_runs
from tests.controls.laboratory import Laboratory

CLEAN = "meld-sim-hard(scale=0.3)"
LEAKY = "meld-sim-hard(leakage={},scale=0.3)"
SHARES = ("0+0+0.6", "0.6+0.6+0.6")  # as in MELD's published visual features, and in all of them
METHODS = ("concat", "adam")
SEEDS = range(5)
# Large for 3,000 utterances and not regularised, so that it can learn them by heart.
BUDGET = {
    "hidden": 128, "heads": 4, "dropout": 0.0, "epochs": 30, "batch_size": 16, "lr": 3e-3, "weight_decay": 0.0,
    "probe_every": 10_000,
}  # fmt: skip


def test_the_audit_finds_exactly_the_copies_that_were_planted(laboratory: Laboratory) -> None:
    clean, table = dataset(CLEAN, None).load(), []
    assert not audit(clean).defects
    for share in SHARES:
        name = dataset(LEAKY.format(share), None).name
        leaky = dataset(name, None).load()
        found = audit(leaky)
        assert found.defects
        rows = clean.rows(np.flatnonzero(np.array(clean.split) == "test"))
        for m in MODALITIES:
            planted = int((clean.features[m][rows] != leaky.features[m][rows]).any(1).sum())
            copies = found.copies[m]["test in train"].identical
            table.append({"corpus": name, "modality": m, "test": len(rows), "planted": planted, "found": copies})
            assert copies == planted, (name, m)
    laboratory.record(
        "leakage-audit",
        "Leakage: copies in the test set",
        table,
        "Planted: vectors that differ from the same corpus without leakage. Found: by cssbench data audit.",
    )


def test_test_scores_rise_with_leakage(laboratory: Laboratory) -> None:
    leaky = [LEAKY.format(share) for share in SHARES]
    runs = laboratory.run([CLEAN, *leaky], METHODS, SEEDS, encoder="identity", training=BUDGET)
    by_run = {(run.spec.dataset, run.method, run.spec.seed): run for run in runs}
    table = []
    for name in dict.fromkeys(run.spec.dataset for run in runs[len(METHODS) * len(SEEDS) :]):
        for method in dict.fromkeys(run.method for run in runs):
            pairs = [(by_run[CLEAN, method, s], by_run[name, method, s]) for s in SEEDS]
            for epoch in ("peak_test", "selected"):
                before, after = (np.array([run.percent(epoch) for run in of]) for of in zip(*pairs, strict=True))
                rise = over_runs(after - before)
                table.append(
                    {
                        "corpus": name,
                        "method": method,
                        "epoch": epoch,
                        "without": float(before.mean()),
                        "rise": rise.mean,
                        "95 % from": rise.low,
                        "to": rise.high,
                    }
                )
    laboratory.record(
        "leakage-scores",
        "Leakage: test scores rise",
        table,
        f"Weighted F1 in points against {CLEAN}, paired by seed, {len(SEEDS)} seeds, Student's interval; encoder "
        "identity. The corpora differ in the copied test vectors alone, so training is the same to the bit.",
    )
    for row in table:
        if row["epoch"] == "peak_test" and row["corpus"] == dataset(leaky[-1], None).name:
            assert row["95 % from"] > 0, row
