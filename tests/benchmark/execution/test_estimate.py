"""What a grid is going to take, from runs of the store."""

from pathlib import Path

from benchmark.data.datasets import dataset
from benchmark.execution.estimate import seconds_of_runs
from benchmark.experiment.grid import expand
from benchmark.experiment.presets import load_preset
from benchmark.store.store import Store
from tests.benchmark.synthetic import write_run


def test_runs_from_before_there_was_a_setting_are_like_those_at_its_default(tmp_path: Path) -> None:
    data = [dataset("meld-sim", None)]
    (run,) = expand(load_preset("smoke"), data, ["css"], [0])
    (other,) = expand(load_preset("smoke"), data, ["css"], [0], training={"clip_norm": 1.0})
    record = run.record()
    for name in ("schedule", "warmup", "clip_norm", "selection"):
        del record["training"][name]
    write_run(tmp_path / "runs", record.pop("key"), **record)

    assert seconds_of_runs([run, other], Store(tmp_path)).keys() == {run.key}
