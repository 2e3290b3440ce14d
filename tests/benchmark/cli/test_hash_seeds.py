"""What commands say does not depend on how Python hashes text: nothing is listed in the order of a set."""

import json
import os
import subprocess
import sys

from tests.paths import ROOT

SCRIPT = """
import json
import sys
from pathlib import Path

from typer.main import get_command

from benchmark import cli
from tests.fuzz.stores import Fuzz, say
from tests.undrawn import undrawn

commands, queue = [], [((), get_command(cli.app))]
while queue:
    words, command = queue.pop()
    commands.append(words)
    queue += [((*words, name), child) for name, child in sorted(getattr(command, "commands", {}).items())]
answers = {}
for words in commands:
    for more in ("--help", "--wrong", "--seeds 0 --store /dev/null"):
        answers[" ".join((*words, more))] = say([*words, *more.split()])
for words in (
    "methods", "methods --json", "methods --methods ablation", "presets", "presets quick", "data list",
    "run --methods spf(x=1,y=2)+pgm", "run --methods cs,cat,adm --datasets meldsim", "run --datasets meld-sim(a=1,b=2)",
    "run --encoder z --objectives q", "run --epochs no --lr no --heads no", "lock --methods all --out /dev/null/x",
    "estimate --methods none",
):
    answers[words] = say(words.split())
with undrawn():
    fuzz = Fuzz(Path(sys.argv[1]))
answers |= fuzz.unharmed
for index in range(len(fuzz.unharmed)):
    answers[f"case {index}"] = fuzz.answer(0, index)[0]
print(json.dumps({words: [said.code, said.out, said.err] for words, said in answers.items()}))
"""


def test_every_command_says_the_same_under_three_hash_seeds(tmp_path):
    said = []
    for seed in ("0", "1", "2"):
        (folder := tmp_path / seed).mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        command = [sys.executable, "-c", SCRIPT, str(folder)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        said.append(json.loads(done.stdout))
    assert len(said[0]) > 100
    differing = [words for words in said[0] if not said[0][words] == said[1][words] == said[2][words]]
    assert not differing, (differing[0], *(answers[differing[0]] for answers in said))
