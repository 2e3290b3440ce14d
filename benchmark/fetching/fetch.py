"""One feature file, from a source to its place: claimed, received, checked against its fingerprint, then renamed."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmark.base.errors import TransferError, UserError
from benchmark.base.files import claimed
from benchmark.data.feature_files.reading import fingerprint
from benchmark.fetching.sources import Source
from benchmark.fetching.transfer import Part, Progress


@dataclass(frozen=True)
class Receipt:
    """What was fetched: kept as ``….json`` beside the file.

    Attributes:
        source: where it came from; no user, password or query of an address.
        sha256: fingerprint of its content.
        size: in bytes.
        time: of its arrival, UTC.
    """

    source: str
    sha256: str
    size: int
    time: str


def fetched(target: Path, source: Source, expected: str | None) -> str | None:
    """The fingerprint of ``target`` where it is what is wanted; None where it is not there.

    Wanted is the ``expected`` fingerprint, or where that is None, what the receipt says came from this source.

    Raises:
        UserError: another file is in its place.
    """
    if not target.exists():
        return None
    digest = fingerprint(target)
    if expected is None:
        with suppress(OSError, ValueError, TypeError):
            receipt = Receipt(**json.loads(_receipt(target).read_text(encoding="utf-8")))
            expected = receipt.sha256 if receipt.source == source.name else None
    if digest != expected:
        wanted = f"not the expected {expected}" if expected else f"not known to be from {source.name}"
        raise UserError(
            f"{target} is there already with SHA-256 {digest}, {wanted}: remove it, or name another folder with --out"
        )
    return digest


def fetch(
    target: Path, source: Source, expected: str | None, progress: Progress, note: Callable[[str], None] = lambda _: None
) -> str:
    """Fetch a file, or find it there already; returns its fingerprint.

    Nothing is ever at ``target`` but the whole file. What was received when the call ends early is kept beside it, in
    ``….part``, and a later call goes on from there.

    Args:
        target: where it goes; its folder is made.
        source: where it comes from.
        expected: its SHA-256, or None to take whatever comes.
        progress: told the bytes received and in all.
        note: told what delays it.

    Raises:
        TransferError: it did not arrive, or another process is fetching it.
        UserError: what arrived is not what was expected (and is removed), another file is in its place, the source is
            not a file, or the folder cannot be written.
    """
    lock = target.with_name(f".{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise UserError(f"cannot write to {target.parent} ({error.strerror}); name another folder with --out") from None
    with claimed(lock) as granted:
        if not granted:
            raise TransferError(f"another process is fetching {target}; wait for it, then repeat the command")
        if present := fetched(target, source, expected):
            return present
        part = Part(target)
        part.receive(source, expected is None, progress, note)
        digest = fingerprint(part.path)
        if expected not in (None, digest):
            part.discard()
            raise UserError(
                f"what {source.name} sent has SHA-256 {digest}, not the expected {expected}, and was removed: check "
                f"the source; if this is the file you want, --sha256 {digest} accepts it"
            )
        size = part.path.stat().st_size
        receipt = Receipt(source.name, digest, size, datetime.now(UTC).isoformat(timespec="seconds"))
        part.publish(target, _receipt(target), asdict(receipt))
        return digest


def _receipt(target: Path) -> Path:
    return target.with_name(target.name + ".json")
