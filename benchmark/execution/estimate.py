"""What a grid is going to take, from what runs like its own took: ``cssbench run --dry-run``."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from heapq import heapreplace
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmark.base.words import counted
from benchmark.experiment.spec import Training

if TYPE_CHECKING:
    from benchmark.experiment.spec import RunSpec
    from benchmark.store.store import Store

_Kind = str


def estimate(specs: "Sequence[RunSpec]", store: "Store", workers: int) -> str:
    """How long the runs take on so many workers, in how much memory, and what that rests on, as people read it.

    A run is taken to need, an epoch, the mean time of the store's finished runs of the same data set, inputs, method
    and settings (epochs, seed and versions apart), and their greatest memory.
    """
    if not specs:
        return "nothing to run"
    seconds, memory, count = _measured(store)
    known = [spec for spec in specs if _kind(spec.record()) in seconds]
    unknown = len(specs) - len(known)
    if not known:
        return f"{counted(unknown, 'run')} to make; time and memory unknown: the store has no finished run like these"
    times = [seconds[_kind(spec.record())] * spec.training.epochs for spec in known]
    most = max(memory[_kind(spec.record())] for spec in known)
    rests = sum(count[kind] for kind in {_kind(spec.record()) for spec in known})
    time, busy = timedelta(seconds=round(makespan(times, workers))), min(workers, len(specs))
    hours, gib = sum(times) / 3600, busy * most / 2**30
    return (
        f"{counted(len(specs), 'run')} to make: about {time} on {counted(workers, 'worker')} "
        f"({hours:.2f} hours of runs), {gib:.1f} GiB in {counted(busy, 'worker')}; "
        f"from {counted(rests, 'finished run')} like these in the store"
        + (f"; not counted, for nothing is like them: {counted(unknown, 'run')}" if unknown else "")
    )


def seconds_of_runs(specs: "Iterable[RunSpec]", store: "Store") -> dict[str, float]:
    """The seconds that runs take, by key, where the store has finished runs like them: see :func:`estimate`."""
    seconds, _, _ = _measured(store)
    kinds = {spec.key: (_kind(spec.record()), spec.training.epochs) for spec in specs}
    return {key: seconds[kind] * epochs for key, (kind, epochs) in kinds.items() if kind in seconds}


def _kind(record: Mapping[str, Any]) -> _Kind:
    """A key that runs share which take equally long for an epoch."""
    training = {n: value for n, value in Training.identifying(record["training"]).items() if n != "epochs"}
    parts = [record["dataset"], record.get("inputs"), record["encoder"], record["fusion"], record["aggregator"]]
    return json.dumps([*parts, training, record["provenance"]["device"]], sort_keys=True)


def _measured(store: "Store") -> tuple[dict[_Kind, float], dict[_Kind, int], dict[_Kind, int]]:
    """Mean seconds an epoch, greatest memory in bytes, and number of the store's finished runs, each by kind."""
    seconds, memory = defaultdict(list), defaultdict(list)
    for record in store.specs():
        if store.is_complete(record["key"]):
            try:
                result = json.loads((store.folder(record["key"]) / "result.json").read_bytes())
                took, peak = result["timings"]["total"] / record["training"]["epochs"], result["peak_memory"]
                kind = _kind(record)
            except (ValueError, KeyError, TypeError):
                continue  # damaged: it is going to be made again
            seconds[kind].append(took)
            memory[kind].append(peak)
    return (
        {kind: mean(values) for kind, values in seconds.items()},
        {kind: max(values) for kind, values in memory.items()},
        {kind: len(values) for kind, values in seconds.items()},
    )


def makespan(times: Iterable[float], workers: int) -> float:
    """Seconds until the last run ends when each worker takes the next run as soon as it is free."""
    ends = [0.0] * workers
    for time in times:
        heapreplace(ends, ends[0] + time)
    return max(ends)
