"""Which runs may stand in one table: one data set, one budget, seeds averaged within one group only."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from reports.evidence.data_origin import DataOrigin, data_origin
from reports.evidence.folds import pool
from reports.evidence.method import Method, label_order
from reports.evidence.omitted import Omitted
from reports.reading.runs import SELECTING, Run

IEMOCAP_SESSIONS = 4
"""Sessions of IEMOCAP that are trained on; the run of a seed holds out session seed mod 4."""


def validated_sessions(run: Run) -> int:
    """How many sessions take turns as the validation data of runs like this one: see :attr:`Comparison.sessions`.

    Runs that are older than its record do not say; of the corpora that they can be of, IEMOCAP alone has sessions.
    """
    if run.protocol != "validated":
        return 0
    known: int | None = run.manifest["data"].get("validation_sessions")
    return (IEMOCAP_SESSIONS if run.dataset.startswith("iemocap") else 0) if known is None else known


@dataclass(frozen=True)
class Comparison:
    """One data set under one budget: everything but method and seed is equal, the refits' epochs excepted.

    `imported`: another code base's methods on the same data; of their budget nothing is known. Where they are alone,
    `methods` is empty.
    """

    dataset: str
    budget: str
    methods: tuple[Method, ...]
    imported: tuple[Method, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, by method and seed."""
        return tuple(run for method in self.methods for run in method.runs)

    @property
    def shown(self) -> tuple[Method, ...]:
        """All methods, this suite's first."""
        return (*self.methods, *self.imported)

    @property
    def first(self) -> Run:
        """A run that says what is the same of all: the data."""
        return self.shown[0].runs[0]

    @property
    def refits(self) -> tuple[Run, ...]:
        """All refits, by method and seed."""
        return tuple(run for method in self.methods for run in method.refits)

    @property
    def validated(self) -> bool:
        """Whether the epochs were selected on validation data; if not, no number here is a result."""
        return self.first.protocol in (*SELECTING, "imported")

    @property
    def folds(self) -> int:
        """How many sessions are held out in turn, a seed being all of them; 0 on the published split."""
        return self.data_origin.folds

    @property
    def selection(self) -> str:
        """The rule that chose the epochs (`reports.measures.rules.DECIDING`); it is in the budget, so one for all."""
        return self.first.selection

    @property
    def name(self) -> str:
        """What pages call it: the data set, and the protocol where that is not the validated one."""
        return self.dataset if self.validated else f"{self.dataset}, {self.first.protocol} protocol"

    @property
    def data_origin(self) -> DataOrigin:
        """Origin of the data."""
        return data_origin(self.first)

    @property
    def classes(self) -> list[str]:
        """Class names in label order."""
        return [str(name) for name in self.first.manifest["data"]["classes"]]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed that some method has."""
        return tuple(sorted({run.seed for run in self.runs}))

    @property
    def sessions(self) -> int:
        """How many training sessions take turns as validation data; seeds that are equal modulo it hold out the same.

        0 where every seed has the same validation data (a dev set), or none.
        """
        return validated_sessions(self.first)

    def sessions_of(self, a: Method, b: Method) -> int:
        """How many sessions two methods share: 0 where one is an import whose seeds nobody has said to be ours."""
        return self.sessions if a.paired and b.paired else 0

    def groups_of(self, method: Method, seeds: Iterable[int]) -> tuple[int, ...]:
        """The session that every seed of a method holds out; empty where seeds are on their own."""
        sessions = self.sessions_of(method, method)
        return tuple(seed % sessions for seed in seeds) if sessions > 1 else ()

    @property
    def presets(self) -> str:
        """Names under which these runs were asked for."""
        return ", ".join(sorted({str(run.spec["preset"]) for run in self.runs}))


def compare(runs: Iterable[Run]) -> tuple[tuple[Comparison, ...], tuple[Omitted, ...]]:
    """Per data set, the comparison under the budget with the newest run, and what is left out; real data first.

    Validated runs are compared, their refits and imported runs on the same data are joined to them, and the published
    protocol is left to `published`. Folds are pooled, and a data set of their own. Where a data set has imported runs
    alone, these are compared with each other.
    """
    given = list(runs)
    pooled, incomplete = pool(given)
    shown, omitted = _newest([*(run for run in given if run.protocol == "validated"), *pooled])
    joined, others = _join(shown, [run for run in given if run.protocol == "refit"])
    beside, elsewhere = _beside(joined, [run for run in given if run.protocol == "imported"])
    return _ordered(beside), omitted + others + elsewhere + incomplete


def published(runs: Iterable[Run]) -> tuple[tuple[Comparison, ...], tuple[Omitted, ...]]:
    """Comparisons of runs under the published protocol, whose scores are no results: for a look, never a verdict."""
    return _newest(run for run in runs if run.protocol == "published")


def _newest(runs: Iterable[Run]) -> tuple[tuple[Comparison, ...], tuple[Omitted, ...]]:
    shown: list[Comparison] = []
    omitted: list[Omitted] = []
    for dataset, of_dataset in groupby(sorted(runs, key=lambda r: (r.dataset, r.budget)), key=lambda r: r.dataset):
        budgets = [tuple(group) for _, group in groupby(of_dataset, key=lambda r: r.budget)]
        budgets.sort(key=lambda group: max(run.created for run in group), reverse=True)
        newest, *others = budgets
        shown.append(Comparison(dataset, newest[0].budget, _methods(newest)))
        omitted += [
            Omitted(dataset, o[0].budget, len(o), tuple(m.label for m in _methods(o)), _differences(o[0], newest[0]))
            for o in others
        ]
    return _ordered(shown), tuple(omitted)


def _ordered(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    return tuple(sorted(comparisons, key=lambda c: (c.data_origin.simulated, c.dataset)))


def _join(shown: Iterable[Comparison], refits: list[Run]) -> tuple[tuple[Comparison, ...], tuple[Omitted, ...]]:
    """The comparisons with the newest refit of every method, and the refits that are left out."""
    used: set[str] = set()

    def joined(method: Method) -> Method:
        refits_of_method = [run for run in refits if run.spec["refit_of"]["group"] == method.runs[0].group]
        if not refits_of_method:
            return method
        newest = max(refits_of_method, key=lambda run: run.created).group  # never a mean over different epochs
        seeds = {run.seed for run in method.runs}
        kept = sorted(
            (run for run in refits_of_method if run.group == newest and run.seed in seeds), key=lambda run: run.seed
        )
        used.update(run.key for run in kept)
        return replace(method, refits=tuple(kept))

    comparisons = tuple(replace(c, methods=tuple(map(joined, c.methods))) for c in shown)
    left = sorted((run for run in refits if run.key not in used), key=lambda run: (run.dataset, run.budget))
    why = ("refits of runs that are not shown, or older ones with another mean of selected epochs",)
    omitted = []
    for (dataset, budget), group in groupby(left, key=lambda run: (run.dataset, run.budget)):
        members = tuple(group)
        labels = tuple(dict.fromkeys(run.label for run in members))
        omitted.append(Omitted(dataset, budget, len(members), labels, why))
    return comparisons, tuple(omitted)


def _beside(shown: Iterable[Comparison], imports: list[Run]) -> tuple[tuple[Comparison, ...], tuple[Omitted, ...]]:
    """The comparisons with what was imported on the very same data, and what is left out."""

    def key(run: Run) -> tuple[str, str]:
        return run.dataset, str(run.manifest["data"]["fingerprint"])

    by_data: dict[tuple[str, str], list[Run]] = {}
    for run in imports:
        by_data.setdefault(key(run), []).append(run)
    comparisons = [replace(c, imported=_imports(by_data.pop(key(c.first), ()))) for c in shown]
    taken = {c.dataset for c in comparisons}
    for dataset in sorted({name for name, _ in by_data} - taken):  # alone: the newest data of that name
        newest = max((k for k in by_data if k[0] == dataset), key=lambda k: max(run.created for run in by_data[k]))
        alone = by_data.pop(newest)
        comparisons.append(Comparison(dataset, alone[0].budget, (), _imports(alone)))
    why = ("imported on other data than those that are shown of this name",)
    omitted = tuple(
        Omitted(name, runs[0].budget, len(runs), tuple(dict.fromkeys(run.label for run in runs)), why)
        for (name, _), runs in by_data.items()
    )
    return tuple(comparisons), omitted


def _imports(runs: Iterable[Run]) -> tuple[Method, ...]:
    return tuple(replace(method, label=_said(method)) for method in _methods(runs))


def _said(method: Method) -> str:
    """The label that says on every page that a method is imported, and how its epoch was chosen."""
    chosen = "choice of epoch unknown" if method.selection == "unknown" else f"epoch chosen on {method.selection}"
    return f"{method.label} (imported, {chosen})"


def _methods(runs: Iterable[Run]) -> tuple[Method, ...]:
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda r: (label_order(r.label), r.group, r.seed)):
        groups.setdefault(run.group, []).append(run)
    labels = [members[0].label for members in groups.values()]
    return tuple(
        # Two groups under one label are two methods: a table must not show them as one.
        Method(label if labels.count(label) == 1 else f"{label} [{group[:6]}]", tuple(members))
        for label, (group, members) in zip(labels, groups.items(), strict=True)
    )


def _differences(other: Run, shown: Run) -> tuple[str, ...]:
    """What sets the other budget apart, as `field: its value (shown: value)`."""
    theirs, ours = _budget_fields(other), _budget_fields(shown)
    differing = tuple(
        f"{name}: {theirs.get(name, 'none')} (shown: {ours.get(name, 'none')})"
        for name in [*theirs, *(name for name in ours if name not in theirs)]
        if theirs.get(name) != ours.get(name)
    )
    return differing or ("a setting that the run format does not spell out",)


def _budget_fields(run: Run) -> dict[str, Any]:
    manifest, training = run.manifest, run.training
    first = {name: training.pop(name) for name in ("epochs", "hidden") if name in training}
    versions = {name: value for name, value in manifest["versions"].items() if name in ("torch", "numpy")}
    return {
        "preset": run.spec["preset"],
        **first,
        "data": f"{manifest['data']['fingerprint'][:12]}, {manifest['data']['description']}",
        "source": manifest["source"][:12],
        **training,
        **versions,
        "device": manifest["hardware"].get("device"),
    }
