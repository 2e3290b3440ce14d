"""`nox -s fuzz -- MINUTES`: hostile pickles against the reader, whose own error alone may come of any, and whole
stores of which a file was changed against every command (:mod:`tests.fuzz.stores`), each for so many minutes.

Input number i of a seed is always the same, whatever the number of workers. One that fails (another exception, an
audited event, too slow, too much memory, a killed or hanging process) is kept in ``fuzz-failures``.
"""

import argparse
import hashlib
import itertools
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.fuzz.mutations import Chunks, chunks_of
from tests.fuzz.seeds import seeds
from tests.fuzz.stores import Fuzz
from tests.fuzz.target import Watch, attempt, attempt_unwatched
from tests.fuzz.worker import content_of, work

HANG = 60.0  # seconds without a sign
REPORT = 30.0  # seconds
FAILURES = Path("fuzz-failures")


def keep(seed: int, index: int, said: str, corpus: list[Chunks]) -> None:
    """Write a failing input, and how to repeat it."""
    content = content_of(seed, index, corpus)
    FAILURES.mkdir(exist_ok=True)
    path = FAILURES / f"{hashlib.sha256(content).hexdigest()[:12]}.pickle"
    path.write_bytes(content)
    repeat = f"python -m tests.fuzz --replay {path}"
    path.with_suffix(".txt").write_text(f"{said}\nseed {seed}, input {index}\n{repeat}\n")
    print(f"FAILED, seed {seed}, input {index}: {said[:300]}\n  {repeat}", flush=True)


def fuzz(minutes: float, workers: int, seed: int) -> int:
    """Run the workers for so long; the number of failures."""
    corpus = [chunks_of(content) for content in seeds()]
    context = multiprocessing.get_context("spawn")
    counts: Counter[str] = Counter()
    messages: set[str] = set()
    opcodes: set[str] = set()
    failures = 0

    def start(first: int) -> Any:
        current, results = context.Value("q", first, lock=False), context.Queue()  # own ones: a kill may break a queue
        process = context.Process(target=work, args=(seed, first, workers, current, results), daemon=True)
        process.start()
        return [process, current, results, first, time.monotonic()]

    began = told = time.monotonic()
    crew = [start(worker) for worker in range(workers)]
    while (now := time.monotonic()) - began < 60 * minutes:
        time.sleep(0.2)
        for number, (process, current, results, last, since) in enumerate(crew):
            while not results.empty():
                kind, what, detail = results.get()
                if kind == "failure":
                    failures += 1
                    if detail[:50] not in messages:  # one of each is enough
                        keep(seed, what, detail, corpus)
                    messages.add(detail[:50])
                else:
                    counts += what
                    messages |= detail[0]
                    opcodes |= detail[1]
            if current.value != last:
                crew[number][3:] = [current.value, now]
            elif not process.is_alive() or now - since > HANG:
                failures += 1
                keep(seed, last, "the process died" if process.exitcode is not None else f"over {HANG} s", corpus)
                process.kill()
                crew[number] = start(last + workers)
        if now - told > REPORT:
            print(_line(now - began, counts, failures, messages, opcodes), flush=True)
            told = now
    for process, *_ in crew:
        process.kill()
    print(f"end, seed {seed}, {workers} workers: {_line(now - began, counts, failures, messages, opcodes)}")
    return failures


def _line(seconds: float, counts: Counter[str], failures: int, messages: set[str], opcodes: set[str]) -> str:
    outcomes = ", ".join(f"{name} {counts[name]}" for name in ("converted", "read", "refused", "broken"))
    return (
        f"{seconds:.0f} s: {counts.total()} inputs ({counts.total() / seconds:.0f}/s), {outcomes}, FAILED {failures}; "
        f"{len(messages)} distinct messages, {len(opcodes)} of 68 opcodes"
    )


def fuzz_stores(minutes: float, seed: int, cases: Iterable[int] | None = None) -> int:
    """Change files of stores for so long, or try these cases; the number of failures, each of which is printed."""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        fuzzed, began = Fuzz(Path(folder)), time.monotonic()
        count = 0
        for index in itertools.count() if cases is None else cases:
            if cases is None and time.monotonic() - began > 60 * minutes:
                break
            count += 1
            if failure := fuzzed.failure(seed, index):
                failures += 1
                print(
                    f"FAILED, seed {seed}: {failure}\n  python -m tests.fuzz --seed {seed} --case {index}", flush=True
                )
    print(f"end of stores, seed {seed}: {count} cases, FAILED {failures}")
    return failures


def main() -> None:
    """Run, or repeat one input."""
    parser = argparse.ArgumentParser(prog="nox -s fuzz --", description=__doc__.splitlines()[0])
    parser.add_argument("minutes", nargs="?", type=float, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", type=Path, help="one input instead")
    parser.add_argument("--only", choices=("pickles", "stores"), help="one of the two")
    parser.add_argument("--case", type=int, help="one case of the stores instead, by its number")
    chosen = parser.parse_args()
    if chosen.case is not None:
        sys.exit(fuzz_stores(0, chosen.seed, range(chosen.case, chosen.case + 1)) > 0)
    if chosen.replay:
        watch, content = Watch(), chosen.replay.read_bytes()
        attempt_unwatched(content)
        outcome, said = attempt(content, watch)
        print(f"{outcome}: {said}")
        sys.exit(outcome == "FAILED")
    failures = 0
    if chosen.only != "stores":
        failures += fuzz(chosen.minutes, chosen.workers, chosen.seed)
    if chosen.only != "pickles":
        failures += fuzz_stores(chosen.minutes, chosen.seed)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
