"""``cssbench runs`` and ``cssbench store``: what a store holds, and runs out of it or into another."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.base.errors import UserError
from benchmark.base.words import counted
from benchmark.cli.display.lines import say, tell
from benchmark.cli.display.tables import drawn, show
from benchmark.cli.options import DONE, FAILED, STORE, StoreOption
from benchmark.workflows.preparation import existing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmark.store.query import Held
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

app = typer.Typer()
manage = typer.Typer(help="Remove runs from a store, move them to another, or merge stores.", no_args_is_help=True)
app.add_typer(manage, name="store")

CHOICE = "Which runs"
Dataset = Annotated[str | None, typer.Option("--dataset", metavar="NAME", rich_help_panel=CHOICE)]
Method = Annotated[
    str | None, typer.Option("--method", metavar="NAME", rich_help_panel=CHOICE, help="As tables name it.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", rich_help_panel=CHOICE)]
Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", rich_help_panel=CHOICE)]
State = Annotated[
    str | None,
    typer.Option("--state", metavar="NAME", rich_help_panel=CHOICE, help="complete, failed or unfinished."),
]
Into = Annotated[Path, typer.Option("--into", metavar="FOLDER", help="The store that gets the runs.")]


@app.command()
def runs(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="One run in detail: a key, or how it begins.")
    ] = None,
    store: StoreOption = STORE,
    dataset: Dataset = None,
    method: Method = None,
    seed: Seed = None,
    preset: Preset = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; scores are fractions.")] = False,
) -> None:
    """List the runs of a store: data set, method, seed, preset, protocol, state and weighted F1.

    The score is the one that counts: at the epoch selected on validation data, of a refit at its last, or of what was
    imported. The published protocol has none. Of sessions held out in turn each has its run, named by its test session:
    the report has the score that is pooled over them.
    """
    from benchmark.store.query import Filter, by_prefix
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

    held = Store(existing(store))
    if run is not None:
        (match,) = by_prefix(held, [run])
        _show_one(held, match, as_json=as_json)
        return
    choice = Filter(dataset, method, seed, preset, state)
    damaged: list[DamagedRunError] = []
    rows = []
    for each in choice.select(held, damaged):
        try:
            rows.append(_row(held, each))
        except DamagedRunError as error:
            if not held.is_gone(each.key):
                damaged.append(error)
    code = _name_damaged(damaged)
    if not rows and not damaged and choice.names_something and not as_json:
        every = f"cssbench runs --store {shlex.quote(str(store))}"
        raise UserError(f"no run of {store} agrees with all of {choice}; {every} lists every run")
    rows.sort(
        key=lambda row: (*(row[name] for name in ("dataset", "label", "preset", "seed")), row["test_session"] or "")
    )
    if as_json:
        tell(json.dumps(rows, indent=1))
    else:
        tell(_table(rows))
    raise typer.Exit(code)


def _name_damaged(damaged: "Iterable[DamagedRunError]") -> int:
    """Name the folders that were left out, each with its remedy; returns the exit code that this makes."""
    code = DONE
    for error in damaged:
        say(f"left out: {error}")
        code = FAILED
    return code


COUNTS = {"validated": "selected", "sessions": "selected", "refit": "last", "imported": "imported"}
"""The part of result.json that is a run's result, by protocol."""


def _row(store: "Store", run: "Held") -> dict[str, Any]:
    """What is listed of a run; ``weighted_f1`` is the score that counts, null where there is none.

    Raises DamagedRunError where what is listed is not what was written.
    """
    from benchmark.store.checksums import read_result
    from benchmark.store.records import DamagedRunError

    row = {name: run.spec[name] for name in ("key", "dataset", "method", "label", "seed", "preset")}
    row["protocol"] = run.spec.get("protocol", "validated")  # runs made before there were others do not say
    row["test_session"] = fold["test"] if (fold := run.spec.get("fold")) else None
    score = None
    if run.state == "complete":
        folder = store.folder(run.key)
        result = read_result(folder, ("spec.json",))
        try:
            score = result[COUNTS[row["protocol"]]]["weighted_f1"] if row["protocol"] in COUNTS else None
        except (KeyError, TypeError):
            raise DamagedRunError(folder, "result.json has no score that could be used") from None
    return row | {"state": run.state, "weighted_f1": score}


def _table(rows: "Iterable[dict[str, Any]]") -> str:
    names = ("key", "dataset", "label", "seed", "preset", "protocol", "state")
    titles = ("run", "data set", "method", "seed", "preset", "protocol", "state", "weighted F1")
    shown = ({**row, "protocol": " ".join(filter(None, (row["protocol"], row["test_session"])))} for row in rows)
    return drawn(titles, [(*(str(row[name]) for name in names), _score(row)) for row in shown])


def _score(row: dict[str, Any]) -> str:
    if row["weighted_f1"] is not None:
        return f"{100 * row['weighted_f1']:.2f}"
    return "not available" if row["state"] == "complete" else ""


def _show_one(store: "Store", run: "Held", *, as_json: bool) -> None:
    from benchmark.base.files import read_object
    from benchmark.store.checksums import damage
    from benchmark.store.records import DamagedRunError

    folder = store.folder(run.key)
    if store.is_gone(run.key):
        raise UserError(f"run {run.key} of {store.root} was removed by another process meanwhile")
    if run.state == "complete" and (cause := damage(folder)):
        raise DamagedRunError(folder, cause)
    details: dict[str, Any] = {"folder": str(folder), "state": run.state, "spec": run.spec}
    for name in ("manifest", "result"):
        if (file := folder / f"{name}.json").exists():
            try:
                details[name] = read_object(file)
            except ValueError as error:
                raise UserError(f"{file} is damaged ({error}); remove its folder, and the run is made again") from None
    for name in ("error", "log"):
        if (file := folder / f"{name}.txt").exists():
            details[name] = file.read_text(encoding="utf-8", errors="replace")
    if as_json:
        tell(json.dumps(details, indent=1))
        return
    from rich.table import Table

    table = Table(run.key, run.name, show_lines=False)
    for name, value in _flat(details):
        table.add_row(name, value)
    show(table)


def _flat(tree: dict[str, Any], prefix: str = "") -> "Iterable[tuple[str, str]]":
    """Nested names and values, those of options spelled out; checksums are for programs."""
    for name, value in tree.items():
        if name in ("files", "checksum", "digests"):
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, str) else json.dumps(value)


@manage.command()
def prune(
    store: StoreOption = STORE,
    dataset: Dataset = None,
    method: Method = None,
    seed: Seed = None,
    preset: Preset = None,
    state: State = None,
    outdated: Annotated[
        bool,
        typer.Option("--outdated", rich_help_panel=CHOICE, help="Made by other source, torch or numpy than are here."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it they are only listed.")] = False,
) -> None:
    """Remove runs: those that agree with every choice given. Runs that are being made stay."""
    from benchmark.store.query import Filter
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

    choice = Filter(dataset, method, seed, preset, state)
    if not (choice.names_something or outdated):
        raise UserError("say which runs: --state unfinished, --outdated, --dataset …; see cssbench store prune --help")
    held = Store(existing(store))
    damaged: list[DamagedRunError] = []
    chosen = [
        run
        for run in choice.select(held, damaged)
        if (not outdated or _outdated(run)) and _is_sealed(held, run, damaged)
    ]
    code = _name_damaged(damaged)
    busy = 0
    if yes:
        held.tidy()
    for run in chosen:
        removed = yes and held.remove(run.key)
        busy += yes and not removed
        verb = ("removed" if removed else "being made, stays") if yes else "would be removed"
        tell(f"{run.key} {run.name} ({run.state}): {verb}")
    tell(f"{counted(len(chosen) - busy, 'run')} {'removed' if yes else 'would be removed; --yes removes them'}")
    raise typer.Exit(code)


def _is_sealed(store: "Store", run: "Held", damaged: "list[DamagedRunError]") -> bool:
    """Whether a run is what its specification says; a complete one whose specification was changed is put apart."""
    from benchmark.store.checksums import read_result
    from benchmark.store.records import DamagedRunError

    try:
        if run.state == "complete":
            read_result(store.folder(run.key), ("spec.json",))
    except DamagedRunError as error:
        if not store.is_gone(run.key):
            damaged.append(error)
        return False
    return True


def _outdated(run: "Held") -> bool:
    from benchmark.experiment.provenance import provenance

    if run.spec.get("protocol") == "imported":
        return False  # made by nothing that is here
    made = run.spec["provenance"]
    here = provenance(made["data"], made["device"]).model_dump()
    return any(made[name] != here[name] for name in ("source", "torch", "numpy"))


@manage.command()
def merge(
    stores: Annotated[
        list[Path], typer.Argument(metavar="STORE…", help="Whose runs are copied; they stay as they are.")
    ],
    into: Into,
) -> None:
    """Copy the runs of stores into another one. What that has already is left as it is."""
    from benchmark.store.query import Filter
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

    sources, damaged = [Store(existing(store)) for store in stores], list[DamagedRunError]()
    runs = [(source, run) for source in sources for run in Filter().select(source, damaged)]
    _copy(runs, damaged, Store(into), remove=False)


@manage.command()
def move(
    into: Into,
    store: StoreOption = STORE,
    dataset: Dataset = None,
    method: Method = None,
    seed: Seed = None,
    preset: Preset = None,
    state: State = None,
) -> None:
    """Move runs into another store: all, or those that agree with every choice given."""
    from benchmark.store.query import Filter
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

    source, damaged = Store(existing(store)), list[DamagedRunError]()
    chosen = Filter(dataset, method, seed, preset, state).select(source, damaged)
    _copy([(source, run) for run in chosen], damaged, Store(into), remove=True)


def _copy(runs: "list[tuple[Store, Held]]", damaged: "list[DamagedRunError]", target: "Store", *, remove: bool) -> None:
    """Copy the runs and, where the target then has them, remove them; says what became of each kind, and exits."""
    from collections import Counter

    from benchmark.store.copying import Copied, copy

    for source, _ in runs:
        if source.root.resolve() == target.root.resolve():
            raise UserError(f"{target.root} is a store to copy from and the one to copy into: name another with --into")
    target.prepare()
    code = _name_damaged(damaged)
    outcomes: Counter[Copied] = Counter()
    for source, run in runs:
        outcome = copy(run.key, source, target)
        if outcome in (Copied.DONE, Copied.THERE):
            if remove and not source.remove(run.key):
                outcome = Copied.BUSY
        else:
            tell(f"{run.key} {run.name} in {source.root}: {outcome.value}")
        outcomes[outcome] += 1
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in outcomes.items())
    tell(f"{counted(len(runs), 'run')} {'moved' if remove else 'merged'} into {target.root}: {counts or 'none'}")
    raise typer.Exit(FAILED if outcomes.keys() - {Copied.DONE, Copied.THERE, Copied.GONE} else code)
