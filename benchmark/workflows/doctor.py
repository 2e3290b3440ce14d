"""What this installation can do, and what keeps it from more: found without making anything, nor importing torch."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from tempfile import TemporaryFile

from packaging.requirements import Requirement

from benchmark.base.devices import cuda_devices
from benchmark.base.errors import UserError
from benchmark.base.files import cache_folder
from benchmark.base.words import counted
from benchmark.tracking.reachability import hindrance
from benchmark.tracking.uris import resolve_uri, without_password

DISTRIBUTION = "css-bench"
EXTRAS = {"torchjd": "aggregators upgrad, dualproj, cagrad, imtl-g, aligned-mtl", "ray": "runs on a cluster"}
LEAST_FREE = 2 * 2**30
"""Bytes that a grid of quick runs with its report and MLflow's database has room in."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        is_broken: whether something cannot work that is part of this installation.
        sentence: what was seen.
        remedy: what to do about it, where anything is to be done; of what is missing but not needed, too.
    """

    name: str
    is_broken: bool
    sentence: str
    remedy: str = ""


def examine(store: Path, tracking_uri: str | None = None) -> Iterator[Check]:
    """Look at versions, extras, devices, threads, the cache, a store and tracking; nothing is left behind."""
    yield Check("python", False, f"{platform.python_version()} on {platform.platform()}")
    yield from _libraries()
    yield _devices()
    yield _threads()
    yield _cache()
    yield from _store(store)
    yield _tracking(store, tracking_uri)


def _libraries() -> Iterator[Check]:
    try:
        needed = [Requirement(line) for line in requires(DISTRIBUTION) or ()]
        yield Check(DISTRIBUTION, False, version(DISTRIBUTION))
    except PackageNotFoundError:
        remedy = "install it: python -m pip install -e . in the checkout, or its wheel"
        yield Check(DISTRIBUTION, True, "it is not installed, so that its version is unknown", remedy)
        return
    for requirement in needed:
        if requirement.marker is None:
            yield _library(requirement)
    for extra, purpose in EXTRAS.items():
        marked = (r for r in needed if r.marker is not None and r.marker.evaluate({"extra": extra}))
        wrong = [check.sentence for check in map(_library, marked) if check.is_broken]
        remedy = f"only for {purpose}: python -m pip install 'css-bench[{extra}]'" if wrong else ""
        yield Check(f"[{extra}]", False, "; ".join(wrong) or f"installed: {purpose}", remedy)


def _library(requirement: Requirement) -> Check:
    wanted = f"{requirement.name}{requirement.specifier}"
    remedy = f"python -m pip install '{wanted}'"
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return Check(requirement.name, True, f"{requirement.name} is not installed", remedy)
    if not requirement.specifier.contains(installed, prereleases=True):
        return Check(requirement.name, True, f"{installed} is not in {requirement.specifier}", remedy)
    return Check(requirement.name, False, installed)


def _devices() -> Check:
    count = cuda_devices()
    try:
        is_for_cpu = "+cpu" in version("torch")
    except PackageNotFoundError:
        is_for_cpu = True
    if count and is_for_cpu:
        sentence = f"{counted(count, 'CUDA device')}, and a torch for the CPU alone"
        return Check("devices", False, sentence, "install a CUDA build of torch (pytorch.org says which)")
    return Check("devices", False, f"CPU and {counted(count, 'CUDA device')}" if count else "CPU; no CUDA driver")


def _threads() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS")
    outside = f", OMP_NUM_THREADS={limit} outside workers" if limit else ""
    return Check("threads", False, f"{counted(cores, 'core')}: as many workers by default, of one thread each{outside}")


def _cache() -> Check:
    folder = cache_folder()
    if cause := _unwritable(folder):
        remedy = "name another folder by CSSBENCH_CACHE; without a cache every start reads the data anew"
        return Check("cache", True, f"{folder} cannot be written ({cause})", remedy)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Check("cache", False, f"{folder}, {size / 2**20:.0f} MiB")


def _store(store: Path) -> Iterator[Check]:
    from benchmark.store.query import Filter
    from benchmark.store.records import DamagedRunError
    from benchmark.store.store import Store

    if cause := _unwritable(store):
        yield Check("store", True, f"{store} cannot be written ({cause})", "name another folder with --store")
    free = shutil.disk_usage(_nearest(store)).free
    remedy = "free some, or name a folder elsewhere with --store" if free < LEAST_FREE else ""
    yield Check("disk", bool(remedy), f"{free / 2**30:.1f} GiB free", remedy)
    damaged: list[DamagedRunError] = []
    try:
        held = Store(store)
        runs = list(Filter().select(held, damaged))
    except UserError as refused:
        yield Check("store", True, str(refused), "see docs/store.md")
        return
    if not (store / "runs").is_dir():
        yield Check("store", False, f"none at {store} yet; cssbench run makes one")
        return
    complete = sum(run.state == "complete" for run in runs)
    yield Check("store", False, f"{store}: {counted(len(runs), 'run')}, {complete} of them complete")
    for error in damaged:
        yield Check(
            "run", True, f"{error.folder} is damaged ({error.cause})", "remove it, and cssbench run makes it again"
        )


def _tracking(store: Path, option: str | None) -> Check:
    try:
        uri = resolve_uri(option, store)
    except UserError as error:
        return Check("tracking", True, str(error), "name another address with --tracking-uri")
    if cause := hindrance(uri):
        sentence, _, remedy = cause.partition(": check ")
        return Check("tracking", True, sentence, f"check {remedy}")
    return Check("tracking", False, f"{without_password(uri)} can be used")


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written in a folder, or made where it would be; None where nothing speaks against it."""
    nearest = _nearest(folder)
    try:
        with TemporaryFile(dir=nearest):
            return None
    except OSError as error:
        return str(error.strerror)
