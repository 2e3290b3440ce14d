"""The harness of `nox -s fuzz` finds what it looks for, and nothing in the reader as it is."""

import subprocess
import sys

import pytest

from tests.paths import ROOT

BROKEN_READERS = {
    "runs a command": ("lambda content: os.system('true')", "os.system (b"),
    "imports": ("lambda content: __import__('this')", "import ("),
    "opens a file and hides it": ("hiding", "open ("),
    "raises something else": ("lambda content: [][0]", "IndexError"),
    "asks for a terabyte": ("lambda content: np.empty(2**40)", "MemoryError"),
    "is slow": ("lambda content: time.sleep(0.2)", "took 0.2 s"),
}
SCRIPT = """
import os, sys, time
import numpy as np
from tests.fuzz import target, worker
def hiding(content):
    try: open("made")
    except BaseException: pass
target.read_pickle, target.SLOW = {reader}, 0.1
watch = target.Watch()
worker._limit_memory()
print(target.attempt(b"N.", watch))
"""


@pytest.mark.parametrize("kind", BROKEN_READERS)
def test_a_broken_reader_is_found_out(kind):
    reader, said = BROKEN_READERS[kind]
    words = [sys.executable, "-c", SCRIPT.format(reader=reader)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("('FAILED', ")
    assert said in done.stdout


def test_a_few_seconds_find_nothing(tmp_path):
    words = [sys.executable, "-m", "tests.fuzz", "0.1", "--workers", "1", "--only", "pickles"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("end, seed 0, 1 workers: ")
    assert "FAILED 0" in done.stdout
