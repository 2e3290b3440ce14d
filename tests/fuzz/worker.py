"""A process that draws inputs and tries them."""

import os
import resource
import tempfile
import time
from collections import Counter
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutations import Chunks, chunks_of, mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.target import Watch, attempt, attempt_unwatched

MEMORY = 2**30  # bytes of address space beyond what a worker starts with


def content_of(seed: int, index: int, corpus: list[Chunks]) -> bytes:
    """Input number ``index``."""
    draw = Random(f"{seed}/{index}")
    return mutated(draw.choice(corpus), draw.choice(corpus), draw)


def work(seed: int, first: int, stride: int, current: "Synchronized[int]", results: Any) -> None:
    """Try every ``stride``-th input, reporting counts every second."""
    corpus, watch = [chunks_of(content) for content in seeds()], Watch()
    os.chdir(tempfile.mkdtemp(prefix="fuzz"))  # where a canary would be made
    for chunks in corpus:  # everything is imported that an error needs
        attempt_unwatched(b"".join(chunks))
    _limit_memory()
    counts: Counter[str] = Counter()
    messages: set[str] = set()
    index, told = first, time.monotonic()
    while True:
        current.value = index
        content = content_of(seed, index, corpus)
        outcome, said = attempt(content, watch)
        if os.listdir():  # noqa: PTH208  # quicker
            outcome, said = "FAILED", f"made {os.listdir()}"  # noqa: PTH208
        counts[outcome] += 1
        messages.add(said)
        if outcome == "FAILED":
            results.put(("failure", index, said))
        if time.monotonic() - told > 1:
            results.put(("counts", counts, (messages, set(watch.opcodes))))
            counts, messages, told = Counter(), set(), time.monotonic()
        index += stride


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
