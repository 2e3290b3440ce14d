"""A report is the same bytes whatever the order of sets: Python draws another one in every process."""

import os
import subprocess
import sys
from pathlib import Path

import reports
from tests.reports.inference.preregistrations import declare
from tests.reports.synthetic_runs import write_run
from tests.reports.tuning.synthetic_studies import DROPOUT, LR, searched, write_study

CODE = "import sys; from pathlib import Path; from reports import build; build(Path(sys.argv[1]), Path(sys.argv[2]))"


def test_a_report_does_not_depend_on_the_hash_seed(tmp_path: Path):
    store = tmp_path / "store"
    for label in ("css", "adam", "concat", "tensor", "pcgrad"):  # no complete grid, and ties between what is missing
        write_run(store, "meld", label, epochs=2, steps_per_epoch=2)
    declare(store, ("meld", "css", "adam"), ("meld", "css", "absent"))
    space = {"lr": LR, "dropout": DROPOUT}
    for label in ("css", "adam"):
        fair = {"group": "g", "index": 0, "of": 2}
        write_study(store, f"fair-{label}", searched(space, 2, lambda p: 0.6), space, label=label, fair=fair)
    folders = []
    for seed in ("0", "1", "2"):
        folders.append(tmp_path / seed)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(reports.__file__).parents[1])}
        subprocess.run([sys.executable, "-c", CODE, str(store), str(folders[-1])], env=environment, check=True)
    first, *others = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    )
    assert len(first) > 40
    for other in others:
        assert [name for name in first | other if first.get(name) != other.get(name)] == []
