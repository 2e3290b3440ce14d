"""Runs from one store to another, so that a crash at any moment leaves every run whole in at least one of them."""

import json
import os
import shutil
from enum import Enum
from pathlib import Path

from benchmark.base.files import replacing
from benchmark.store.checksums import damage
from benchmark.store.query import conflicting_imports
from benchmark.store.records import DamagedRunError, read_record
from benchmark.store.store import Store

_LAST = "result.json"  # makes a run complete
_ORDER = ("spec.json", "manifest.json", _LAST)  # after all others: without the first of them there is no run


class Copied(Enum):
    """What became of a run that was to be copied; the value is for people."""

    DONE = "copied"
    THERE = "there already"
    CONFLICT = "there already with other results: left out"
    UNFINISHED = "unfinished in both: left out"
    DAMAGED = "damaged: left out"
    BLOCKED = "a symbolic link in its place, which is not followed: left out"
    BUSY = "being made by another process: left out"
    GONE = "removed by another process meanwhile: left out"


def copy(key: str, source: Store, target: Store) -> Copied:
    """Copy a run, unless the target has it.

    Files arrive whole and on the disk, and ``result.json`` last: a copy that was cut off is an unfinished run, which
    is copied again or made again like any other.
    """
    try:
        target.folder(key)
    except DamagedRunError:
        return Copied.BLOCKED
    with source.claim_held(key) as granted:
        if not granted:
            return Copied.GONE if granted is None else Copied.BUSY
        finished = source.is_complete(key)
        try:
            record = read_record(source.folder(key))
        except DamagedRunError:
            return Copied.DAMAGED
        if record is None or (finished and damage(source.folder(key))):
            return Copied.DAMAGED
        with target.claim(key) as granted:
            if not granted:
                return Copied.BUSY
            if target.is_whole(key):
                same = not finished or _digests(source, key) == _digests(target, key)
                return Copied.THERE if same else Copied.CONFLICT
            if not finished and (target.folder(key) / "spec.json").exists():
                return Copied.UNFINISHED
            if conflicting_imports(record, target):
                return Copied.CONFLICT
            _copy_files(key, source, target)
    return Copied.DONE


def _copy_files(key: str, source: Store, target: Store) -> None:
    names = {f.name for f in source.folder(key).iterdir() if f.is_file() and not f.name.startswith(".")}
    copy = target.folder(key)
    (copy / _LAST).unlink(missing_ok=True)  # damaged, or the run would stand
    for name in sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else -1, name)):
        if name == _LAST:  # an unfinished attempt's files, and those of a copy that was cut off
            for left in {f.name for f in copy.iterdir()} - names:
                (copy / left).unlink()
        with (source.folder(key) / name).open("rb") as content, replacing(copy / name) as copied:
            shutil.copyfileobj(content, copied)
    for folder in (copy, target.runs):
        _flush(folder)


def _digests(store: Store, key: str) -> object:
    return json.loads((store.folder(key) / _LAST).read_bytes()).get("digests")


def _flush(folder: Path) -> None:
    """Have the folder's entries on the disk: the source may be removed next."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
