"""Messages do not depend on how Python hashes text."""

import os
import pickle
import subprocess
import sys

import pytest

from tests.paths import ROOT

SCRIPT = """
import sys
from pathlib import Path
from benchmark.base.errors import UserError
from benchmark.data import load_features
for file in sorted(Path(sys.argv[1]).glob("*.pkl")):
    try:
        load_features(file)
    except UserError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["iemocap_items", "meld_items"])
def test_every_message_is_the_same_under_three_hash_seeds(tmp_path, request, name):
    items = request.getfixturevalue(name)
    for index in range(len(items)):
        for kind, value in (("none", None), ("empty", {}), ("odd", {"x\n": [], "y\n": [], 3: [], "z": []})):
            (tmp_path / f"{index}-{kind}.pkl").write_bytes(pickle.dumps((*items[:index], value, *items[index + 1 :])))
        if isinstance(items[index], dict):
            short = {c: values[:-1] for c, values in items[index].items()}
            (tmp_path / f"{index}-short.pkl").write_bytes(pickle.dumps((*items[:index], short, *items[index + 1 :])))
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
    assert len(said.pop().splitlines()) > 20
