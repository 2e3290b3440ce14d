"""Reads a run store: format 1 of docs/run-format.md, this package's only input."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float
from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from reports.errors import DamagedRunError, ReportError
from reports.reading import fields
from reports.reading.documents import check, damaged, document
from reports.reading.folders import run_folders
from reports.reading.robustness import read_robustness
from reports.reading.seals import check_seals

FORMAT = 1
OBJECTIVES = ("fused", "unimodal", "distillation")
PAIRS = ("fused_unimodal", "fused_distillation", "unimodal_distillation")

SESSIONS = "sessions"
"""The protocol of runs that are a fold: every session is the test set of one of them."""
PROTOCOLS = ("validated", "published", "refit", "imported", SESSIONS)
SELECTING = ("validated", SESSIONS)
"""The protocols under which validation data select the epoch, so that scores are results."""
SELECTIONS = ("best", "smoothed", "last")
TUNING_SEED = 1_000_000
"""Seeds from here on are the searches' own: what was tuned on them must not be compared on them."""


@dataclass(frozen=True, eq=False)
class Run:
    """One complete run. The three JSON files are read at once, the frames when asked for and never kept."""

    folder: Path
    spec: Mapping[str, Any]
    manifest: Mapping[str, Any]
    result: Mapping[str, Any]
    robustness: Mapping[str, Any] | None = field(default=None, kw_only=True)
    """Scores where a modality is missing, where somebody has had them made (`reports.reading.robustness`)."""

    @property
    def key(self) -> str:
        """Hash of all that determines the run."""
        return str(self.spec["key"])

    @property
    def group(self) -> str:
        """Runs of one group differ by seed alone and may be averaged."""
        return str(self.spec["group"])

    @property
    def budget(self) -> str:
        """Runs of one budget differ by seed and method alone and may be compared."""
        return str(self.spec["budget"])

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return str(self.spec["dataset"])

    @property
    def label(self) -> str:
        """What tables call the method."""
        return str(self.spec["label"])

    @property
    def seed(self) -> int:
        """Seed of every draw in the run."""
        return int(self.spec["seed"])

    @property
    def protocol(self) -> str:
        """One of :data:`PROTOCOLS`; runs made before there were others do not say."""
        return str(self.spec.get("protocol", "validated"))

    @property
    def fold(self) -> str:
        """The session that is the test set; empty where that is the published one."""
        fold = self.spec.get("fold")
        return str(fold["test"]) if fold else ""

    @property
    def sessions(self) -> tuple[str, ...]:
        """The complete set of folds that the run is one of; empty where it is none."""
        fold = self.spec.get("fold")
        return tuple(fold["sessions"]) if fold else ()

    @property
    def parts(self) -> "tuple[Run, ...]":
        """The runs that were made: itself, or those of its folds where it is pooled."""
        return (self,)

    @property
    def is_of_search(self) -> bool:
        """Whether a search made it. Imported runs have the seeds of their makers, whatever these are."""
        return self.seed >= TUNING_SEED and self.protocol != "imported"

    @property
    def tuned(self) -> Mapping[str, Any] | None:
        """The `study` that tuned settings come from, and the preset's values in `base`; None without tuned settings."""
        return self.spec.get("tuned")

    @property
    def training(self) -> dict[str, Any]:
        """Training settings of the run's budget: the preset's where the method's own were tuned."""
        return {**self.spec["training"], **(self.tuned["base"] if self.tuned else {})}

    @property
    def selection(self) -> str:
        """The rule that chose the epoch on validation data; runs made before there were others do not say: `best`."""
        return str(self.spec.get("training", {}).get("selection", "best"))

    def component(self, kind: str) -> Mapping[str, Any]:
        """Name and options of the encoder, fusion, aggregator or objectives; early runs name no objectives: `paper`."""
        entry = self.spec.get(kind, {"name": "paper", "options": {}} if kind == "objectives" else None)
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise damaged(self.folder / "spec.json", f"{kind} is {entry!r}")
        return entry

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives that the method trains on; an option of its own name leaves one out."""
        options = self.component("objectives").get("options") or {}
        return tuple(name for name in OBJECTIVES if options.get(name, True))

    @cached_property
    def created(self) -> datetime:
        """When the run was started; a time without a zone is UTC."""
        try:
            created = datetime.fromisoformat(self.manifest["created"])
        except ValueError as error:
            raise damaged(self.folder / "manifest.json", f"created is {self.manifest['created']!r}") from error
        return created if created.tzinfo else created.replace(tzinfo=UTC)

    @property
    def ceiling(self) -> Mapping[str, Any] | None:
        """What no model exceeds on these data; None where that is not known."""
        return self.manifest["data"].get("ceiling")

    @property
    def references(self) -> Sequence[Mapping[str, Any]]:
        """What the majority class and a logistic regression reach on these data; empty where that is not known."""
        return self.manifest["data"].get("references") or ()

    @property
    def logistic(self) -> Mapping[str, Any] | None:
        """The logistic regression that sees every modality in use, the first of its name."""
        return next((each for each in self.references if each["name"] == "logistic"), None)

    def number(self, *names: str) -> float:
        """A number of result.json by its nested name; null, or anything in null, is NaN."""
        value: Any = self.result
        for name in names:
            if value is None:
                return float("nan")
            if not isinstance(value, dict) or name not in value:
                raise damaged(self.folder / "result.json", f"{'.'.join(names)} is missing")
            value = value[name]
        if value is None:
            return float("nan")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise damaged(self.folder / "result.json", f"{'.'.join(names)} is {value!r}, not a number")
        return float(value)

    def confusion(self, where: str = "selected") -> Float[np.ndarray, "classes classes"] | None:
        """Counts on the test set; rows are labels, columns predictions. None without any.

        where: `selected` for the epoch chosen on validation, `last` for that of a run without validation, `imported`.
        """
        if self.result[where] is None:
            return None
        try:
            counts = np.asarray(self.result[where]["confusion"], dtype=float)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.folder / "result.json", f"{where}.confusion: {error!r}") from error
        classes = len(self.manifest["data"]["classes"])
        if counts.shape != (classes, classes) or not counts.sum() > 0:
            raise damaged(self.folder / "result.json", f"{where}.confusion is not {classes} × {classes} counts")
        return counts

    @property
    def weights_digest(self) -> str | None:
        """SHA-256 of the weights at the last epoch: equal ones are of the same run. None where there are none."""
        digests = self.result.get("digests")
        return digests.get("weights") if isinstance(digests, dict) else None

    def holds(self, name: str) -> bool:
        """Whether there is a `<name>.parquet`; some are not of every run."""
        return (self.folder / f"{name}.parquet").is_file()

    def frame(self, name: str, columns: Sequence[str], newer: Sequence[str] = ()) -> pd.DataFrame:
        """Columns of `<name>.parquet` and all by block of θ, read from disk at every call.

        Those in `newer` are NaN where the run is of a time when they were not recorded.
        """
        path = self.folder / f"{name}.parquet"
        if path.is_symlink():
            raise damaged(path, "it is a symbolic link")
        try:
            with ParquetFile(path) as file:  # opened once, by one thread: pandas' reader takes three times as long
                names = file.schema_arrow.names
                if missing := [name for name in columns if name not in names]:
                    raise ValueError(f"no column {', '.join(missing)}")
                more = [name for name in names if name in newer or "." in name]
                table = file.read(columns=[*columns, *more], use_threads=False).select([*columns, *more])
            # without what pandas has written of itself, which takes as long to read as the values
            for name in newer:
                if name not in more:
                    table = table.append_column(name, pa.nulls(len(table), pa.float64()))
            frame = table.replace_schema_metadata().to_pandas(use_threads=False)
        except (OSError, ValueError, KeyError, ArrowException) as error:
            raise damaged(path, " ".join(str(error).split())[:200]) from error
        if frame.empty:
            raise damaged(path, "it has no rows")
        return frame


@dataclass(frozen=True)
class FailedRun:
    """A run that left a traceback and no result, or whose files are damaged.

    `group` and `seed` are unknown where its spec.json cannot be read.
    """

    key: str
    name: str
    error: str
    tuning: bool
    group: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class StoredRuns:
    """What a store holds: complete runs, failed runs, and how many are neither; those of searches apart.

    damaged: of those that are damaged, and therefore among the failed, the folder's name and what is wrong.
    """

    runs: tuple[Run, ...]
    failed: tuple[FailedRun, ...]
    unfinished: int
    tuning: tuple[Run, ...]
    failed_tuning: tuple[FailedRun, ...]
    damaged: Mapping[str, str]


def read_store(store: Path, keys: Collection[str] | None = None) -> StoredRuns:
    """Read every complete run of a store, or those of `keys`.

    Runs with a damaged file count as failed. Raises ReportError if the store is missing or holds no complete run that
    can be used, or a run of another format.
    """
    if not store.is_dir():
        raise ReportError(f"no run store at {store}: run `cssbench run` first, or name the folder with --store")
    folders = run_folders(store, keys)
    complete = {f: None for f in folders if f.is_symlink() or (f / "result.json").exists()}  # in order
    failed = [f for f in folders if f not in complete and (f / "error.txt").is_file()]
    if not complete:
        raise ReportError(
            f"nothing to report: 0 complete runs in {store / 'runs'}"
            f"{'' if keys is None else f' among the {len(keys)} asked for'}, {len(failed)} failed; "
            "run `cssbench run` first"
        )
    runs, damages = read_runs(complete)
    if not runs:
        raise next(iter(damages.values()), ReportError(f"nothing to report: {store} has lost its runs meanwhile"))
    seen: dict[tuple[str, int, str], Run] = {}
    for run in runs:
        other = seen.setdefault((run.group, run.seed, run.fold), run)
        if other is not run:  # one seed must never count twice in a mean
            raise damaged(run.folder, f"same group and seed {run.seed} as {other.folder.name}")
    lost = (*map(_read_failed, failed), *(_lost(f, str(error)) for f, error in damages.items()))
    return StoredRuns(
        tuple(run for run in runs if not run.is_of_search),
        tuple(run for run in lost if not run.tuning),
        len(folders) - len(complete) - len(failed),
        tuple(run for run in runs if run.is_of_search),
        tuple(run for run in lost if run.tuning),
        {folder.name: str(error) for folder, error in damages.items()},
    )


def read_runs(folders: Iterable[Path]) -> tuple[tuple[Run, ...], dict[Path, DamagedRunError]]:
    """The complete runs in these folders, and of those that are damaged what is wrong with them."""
    runs: list[Run] = []
    damages: dict[Path, DamagedRunError] = {}
    for folder in folders:
        try:
            runs.append(read_run(folder))
        except DamagedRunError as error:
            damages |= {folder: error} if folder.exists() or folder.is_symlink() else {}  # or just removed
    return tuple(runs), damages


def read_validated(store: Path) -> tuple[tuple[Run, ...], dict[Path, DamagedRunError]]:
    """Every complete validated run of a store, which may hold none, and like `read_runs` what is damaged."""
    runs, damages = read_runs(folder for folder in run_folders(store) if (folder / "result.json").is_file())
    return tuple(run for run in runs if run.protocol == "validated"), damages


def read_run(folder: Path) -> Run:
    """The three JSON files of a complete run, once all its files are what their checksums say.

    Raises ReportError if one is damaged or of another format.
    """
    if folder.is_symlink():
        raise damaged(folder, "it is a symbolic link")
    check_seals(folder, document(folder / "result.json", {}))
    spec = document(folder / "spec.json", {"format": int})
    if spec["format"] != FORMAT:
        raise ReportError(
            f"{folder / 'spec.json'} has format {spec['format']}, this version reads {FORMAT}: "
            "use the css-bench version that wrote it, or run again into a new store"
        )
    imported = spec.get("protocol") == "imported"
    spec = document(folder / "spec.json", fields.SPEC | ({"imported": dict} if imported else fields.SPEC_MORE))
    if spec["key"] != folder.name:
        raise damaged(folder / "spec.json", f"key is {spec['key']}")
    more_of_manifest = {"created": str, "data": dict, "imported_from": dict} if imported else fields.MANIFEST
    manifest = document(folder / "manifest.json", more_of_manifest)
    check(manifest["data"], fields.DATA, folder / "manifest.json", "data.")
    more = {name: kind for name, kind in fields.DATA_MORE.items() if manifest["data"].get(name) is not None}
    check(manifest["data"], more, folder / "manifest.json", "data.")
    for name, expected in (("audit", fields.AUDIT), ("ceiling", fields.CEILING)):
        if name in more:
            check(manifest["data"][name], expected, folder / "manifest.json", f"data.{name}.")
    for reference in manifest["data"].get("references") or ():
        check(reference, fields.REFERENCE, folder / "manifest.json", "data.references[].")
    if "ceiling" in more and fields.SYNERGY[0] in manifest["data"]["ceiling"]:  # early runs do not have it
        check(
            manifest["data"]["ceiling"], dict.fromkeys(fields.SYNERGY, float), folder / "manifest.json", "data.ceiling."
        )
    if manifest["data"]["kind"] not in ("real", "simulated"):
        raise damaged(folder / "manifest.json", f"data.kind is {manifest['data']['kind']!r}")
    if (protocol := spec.get("protocol", "validated")) not in PROTOCOLS:
        raise damaged(folder / "spec.json", f"protocol is {protocol!r}")
    if (selection := spec.get("training", {}).get("selection", "best")) not in SELECTIONS:
        raise damaged(folder / "spec.json", f"training.selection is {selection!r}")
    if imported:
        check(spec["imported"], fields.IMPORTED, folder / "spec.json", "imported.")
        check(manifest["imported_from"], {"file": str, "sha256": str}, folder / "manifest.json", "imported_from.")
        whole = dict.fromkeys(("selected", "last", "peak_test") if "epochs" in spec["imported"] else (), dict)
        result = document(folder / "result.json", {"imported": dict} | whole)
        check(result["imported"], fields.SCORES, folder / "result.json", "imported.")
        return Run(folder, spec, manifest, result)
    if protocol == "refit":
        check(spec, {"refit_of": dict}, folder / "spec.json")
        check(spec["refit_of"], fields.REFIT_OF, folder / "spec.json", "refit_of.")
    if protocol == SESSIONS:
        check(spec, {"fold": dict}, folder / "spec.json")
        check(spec["fold"], fields.FOLD, folder / "spec.json", "fold.")
        if spec["fold"]["test"] not in spec["fold"]["sessions"]:
            raise damaged(folder / "spec.json", f"fold.test is {spec['fold']['test']!r}, which is none of its sessions")
    if spec.get("tuned") is not None:
        check(spec, {"tuned": dict}, folder / "spec.json")
        check(spec["tuned"], fields.TUNED, folder / "spec.json", "tuned.")
    selected = {"selected": dict if protocol in SELECTING else NoneType}
    result = document(folder / "result.json", selected | fields.RESULT)
    return Run(folder, spec, manifest, result, robustness=read_robustness(folder, result))


def _read_failed(folder: Path) -> FailedRun:
    file = folder / "error.txt"
    lines = [] if file.is_symlink() else file.read_text(encoding="utf-8", errors="replace").split("\n")
    error = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
    return _lost(folder, error if len(error) <= 200 else error[:199] + "…")


def _lost(folder: Path, error: str) -> FailedRun:
    """The run of a folder that holds no result to use."""
    try:
        expected = {"key": str, "dataset": str, "label": str, "group": str, "seed": int}
        spec = {} if folder.is_symlink() else document(folder / "spec.json", expected)
    except ReportError:
        spec = {}
    if spec.get("key") != folder.name:
        return FailedRun(key=folder.name, name="unknown (spec.json cannot be read)", error=error, tuning=False)
    where = f", test session {fold.get('test')}" if isinstance(fold := spec.get("fold"), dict) else ""
    return FailedRun(
        key=folder.name,
        name=f"{spec['dataset']}, {spec['label']}, seed {spec['seed']}{where}",
        error=error,
        tuning=spec["seed"] >= TUNING_SEED and spec.get("protocol") != "imported",
        group=spec["group"],
        seed=spec["seed"],
    )
