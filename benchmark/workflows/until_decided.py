"""Seeds until every comparison is decided: the runs of one look, then the look, then those of the next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmark.base.errors import UserError
from benchmark.base.files import write_json
from benchmark.base.words import counted
from benchmark.execution.estimate import estimate, seconds_of_runs
from benchmark.execution.listener import Listener
from benchmark.execution.places import Places
from benchmark.store.looks import look_file, read_look
from benchmark.store.store import Store
from benchmark.workflows.grid import Grid
from benchmark.workflows.late_looks import continued
from benchmark.workflows.making import make_missing
from benchmark.workflows.outcome import Outcome
from benchmark.workflows.preparation import missing

if TYPE_CHECKING:
    from benchmark.experiment.preregistration import Preregistration
    from benchmark.experiment.spec import RunSpec

_Comparison = Mapping[str, Any]
"""What was declared of a comparison, and where it stands: see docs/run-format.md."""
_WORDS = {"rejected": "different", "shown equal": "shown equal", "futile": "stopped, more seeds would hardly help"}


def make_until_decided(
    grid: Grid, plan: "Preregistration", store: Store, where: Places, listener: Listener
) -> "tuple[Outcome, list[RunSpec]]":
    """Declare the plan, then make seeds and look at them until nothing is open or no look is left.

    A look is written down before a run of the next one begins, and one that is there is not taken again: whenever this
    is cut off, the same call goes on to the same decisions. A method whose comparisons are all decided gets no more
    seeds.

    Returns:
        What became of the runs, and the specifications of those that the looks have asked for.
    """
    plan = continued(plan, store)
    assert plan.looks is not None
    outcome = Outcome(store.root, [])
    asked: dict[str, RunSpec] = {}
    standings = _undecided(plan)
    _warn_of_earlier_runs(grid.specs, plan, store, listener)
    for number, seeds in enumerate(plan.looks, start=1):
        asked |= {spec.key: spec for spec in _due(grid.specs, plan.seeds[:seeds], standings)}
        recorded = _recorded(store, plan, seeds)
        if recorded is None:
            to_come = missing([*asked.values(), *_due(grid.specs, plan.seeds, standings)], store)
            now, most = len(to_come.keys() & asked.keys()), len(to_come)
            listener.message(
                f"look {number} of {len(plan.looks)}, at {counted(seeds, 'seed')}: {_state(standings)}; "
                f"{now} to {counted(most, 'run')} to come"
            )
            outcome += make_missing(
                "run",
                list(asked.values()),
                grid.datasets,
                store,
                where,
                listener,
                declared=plan,
                title=f"look {number}/{len(plan.looks)} at {seeds} seeds, {_state(standings)}",
            )
            if outcome.interrupted:
                break
            plan.declare(store.root)  # where every run of the look was there before
            recorded = _look(store, plan, seeds, listener)
            if recorded is None:
                break
            for sentence in _decided(standings, recorded):
                listener.message(f"decided at {counted(seeds, 'seed')}: {sentence}")
        standings = recorded
        if not any(map(_is_open, standings)):
            break
    listener.message(f"until decided: {_state(standings)}")
    if not outcome.keys:  # every look was taken before: what has been damaged since is made again
        outcome += make_missing("run", list(asked.values()), grid.datasets, store, where, listener)
    return outcome, list(asked.values())


def what_it_takes(grid: Grid, plan: "Preregistration", store: Store, workers: int) -> Iterator[str]:
    """What ``--dry-run`` says: the runs that are made in any case, and those that are made if nothing is decided.

    Between them, where the store has runs to know it from, those that are to be expected if every difference were as
    large as the margin.
    """
    plan = continued(plan, store)
    assert plan.looks is not None
    standings = _last(store, plan)
    yield f"looks at {', '.join(map(str, plan.looks))} seeds: {_state(standings)}"
    seeds = next((n for n in plan.looks if _recorded(store, plan, n) is None), 0)
    for name, number in (("at least", seeds), ("at most", plan.looks[-1] if seeds else 0)):
        due = missing(_due(grid.specs, plan.seeds[:number], standings), store)
        yield f"{name}: {estimate(list(due.values()), store, workers)}"
    if seeds and any(map(_is_open, standings)):
        yield _expected(grid, plan, store, workers)


def _expected(grid: Grid, plan: "Preregistration", store: Store, workers: int) -> str:
    import reports

    if not store.runs.is_dir() or (seeds := reports.expected_seeds(store.root, plan.content)) is None:
        return "to be expected: unknown, for the store has no runs of these methods to know their spread from"
    seconds = seconds_of_runs(grid.specs, store)
    of_group = {spec.group: seconds.get(spec.key, 0.0) for spec in grid.specs if spec.seed == plan.seeds[0]}
    runs, work = sum(seeds.values()), sum(seeds[group] * of_group[group] for group in seeds)
    time = f", about {timedelta(seconds=round(work / workers))} on {counted(workers, 'worker')}" if work else ""
    return (
        f"to be expected, were every difference {plan.margin:g} points: {counted(round(runs), 'run')} in all{time}, "
        "by the spread of the store's runs"
    )


def _warn_of_earlier_runs(
    specs: "Sequence[RunSpec]", plan: "Preregistration", store: Store, listener: Listener
) -> None:
    if not plan.continues and not plan.path(store.root).exists():
        early = sum(store.is_complete(spec.key) for spec in specs)
        if early:
            listener.notice(
                f"warning: {counted(early, 'run')} of this plan {'was' if early == 1 else 'were'} made before it was "
                "declared, so the report shows its comparisons as exploratory; another --store would not"
            )


def _due(specs: "Sequence[RunSpec]", seeds: Sequence[int], standings: Iterable[_Comparison]) -> "list[RunSpec]":
    """The runs with these seeds of methods that are in an open comparison."""
    groups, numbers = {each[side]["group"] for each in standings if _is_open(each) for side in "ab"}, set(seeds)
    return [spec for spec in specs if spec.group in groups and spec.seed in numbers]


def _is_open(comparison: _Comparison) -> bool:
    return comparison["decision"] is None


def _undecided(plan: "Preregistration") -> Sequence[_Comparison]:
    return [{**each, "decision": None} for each in plan.comparisons]


def _last(store: Store, plan: "Preregistration") -> Sequence[_Comparison]:
    """Where the comparisons stand after the looks that were taken."""
    assert plan.looks is not None
    taken = (_recorded(store, plan, seeds) for seeds in reversed(plan.looks))
    return next(filter(None, taken), _undecided(plan))


def _recorded(store: Store, plan: "Preregistration", seeds: int) -> Sequence[_Comparison] | None:
    """Where the comparisons stood after the look at so many seeds; None where it was not taken."""
    look = read_look(store.root, plan.name, seeds)
    return None if look is None else look["comparisons"]


def _look(store: Store, plan: "Preregistration", seeds: int, listener: Listener) -> Sequence[_Comparison] | None:
    """Take the look and write it down; None where nothing can be judged, which a notice says."""
    import reports

    try:
        content = reports.take_look(store.root, plan.name)
    except reports.NothingToJudgeError as error:
        listener.notice(f"{error}; no look was taken, and the same command goes on")
        return None
    except reports.ReportError as error:
        raise UserError(str(error)) from error
    assert content is not None
    path = look_file(store.root, plan.name, seeds)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, content)
    comparisons: Sequence[_Comparison] = content["comparisons"]
    return comparisons


def _state(standings: Sequence[_Comparison]) -> str:
    decided = sum(not _is_open(each) for each in standings)
    return f"{decided} of {counted(len(standings), 'comparison')} decided"


def _decided(before: Sequence[_Comparison], after: Sequence[_Comparison]) -> Iterator[str]:
    """A sentence for each comparison that this look has decided."""
    for earlier, now in zip(before, after, strict=True):
        if _is_open(earlier) and not _is_open(now):
            name = f"{now['dataset']}: {now['a']['label']} − {now['b']['label']}"
            if now["reason"]:
                yield f"{name}: withdrawn, {now['reason']}"
            else:
                size = f"{now['mean']:+.2f}".replace("-", "−")
                yield f"{name}: {_WORDS[now['decision']]}, {size} points"
