"""Every command that reads a store, by a name: its words, in which places stand for folders and a run's key."""

from tests.benchmark.small_store import STUDY, WORDS

COMMANDS: dict[str, tuple[str, ...]] = {
    "runs": ("runs", "--store", "{store}"),
    "runs --json": ("runs", "--json", "--store", "{store}"),
    "runs KEY": ("runs", "{key}", "--json", "--store", "{store}"),
    "report": ("report", "--store", "{store}"),
    "verify": ("verify", "--all", "--files", "--store", "{store}"),
    "verify KEY": ("verify", "{key}", "--files", "--store", "{store}"),
    "merge": ("store", "merge", "{store}", "--into", "{other}"),
    "merge into it": ("store", "merge", "{other}", "--into", "{store}"),
    "move": ("store", "move", "--store", "{store}", "--into", "{other}"),
    "prune": ("store", "prune", "--dataset", "meld-sim", "--yes", "--store", "{store}"),
    "prune --outdated": ("store", "prune", "--outdated", "--yes", "--store", "{store}"),
    "sync": ("sync", "--store", "{store}"),
    "run": ("run", *WORDS, "--seeds", "2", "--workers", "1", "--dry-run", "--store", "{store}"),
    "run --until-decided": ("run", *WORDS, "--until-decided", "--looks", "2", "--dry-run", "--store", "{store}"),
    "run --tuned": ("run", *WORDS, "--tuned", STUDY, "--seeds", "2", "--dry-run", "--store", "{store}"),
    "run --locked": ("run", "--locked", "{store}/paper.json", "--dry-run", "--store", "{store}"),
    "lock": ("lock", *WORDS, "--tuned", STUDY, "--out", "{other}/another.json", "--store", "{store}"),
}
