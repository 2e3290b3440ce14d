"""What was read from pickles, kept in the open format: the next start maps it instead of reading the pickle again.

A kept file is named after the content it was read from (SHA-256 of the whole pickle, at every start: no file's date is
trusted) and the inputs that were asked for. It is used only where its header names the same content, view and reading
code and its checksums are right; else it is made anew and replaced, whole.
"""

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmark.base.errors import DataError
from benchmark.base.files import cache_folder, sweep
from benchmark.data.conversations import Conversations
from benchmark.data.feature_files.open_format import SUFFIX, Source, open_features, recognises, save
from benchmark.data.feature_files.reading import load_features, source_of
from benchmark.data.views import MODALITIES, Modality, TextView


def load_cached(
    path: Path,
    dataset: str,
    modalities: Sequence[Modality] = MODALITIES,
    text_view: TextView = "1",
    sha256: str | None = None,
    roberta: Path | None = None,
) -> Conversations:
    """What :func:`load_features` gives, and raises, from the cache where it is there and whole.

    A cache that cannot be written costs the time of reading again, and a warning. ``sha256`` is the
    fingerprint of the file, and of ``roberta`` where it is given, if the caller knows it.
    """
    read = partial(load_features, path, dataset, modalities=modalities, text_view=text_view, roberta=roberta)
    try:
        if recognises(path):
            return read()  # mapped as it is
    except OSError:
        return read()  # which says what is wrong
    source = source_of(path, roberta, text_view, sha256)
    kept = cache_folder() / "features" / "-".join((dataset, source.sha256[:32], text_view, *modalities))
    kept = kept.with_name(kept.name + SUFFIX)
    if (cached := _kept(kept, dataset, modalities, source)) is not None:
        return cached
    made = read()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        save(kept, made, dataset, source)
        sweep(kept.parent)
    except OSError as error:
        logging.getLogger(__name__).warning("features are not cached: %s: %s", error.strerror, kept)
        return made
    del made  # or it would be in memory twice
    again = _kept(kept, dataset, modalities, source)  # mapped: processes share it
    return read() if again is None else again


def _kept(path: Path, dataset: str, modalities: Sequence[Modality], source: Source) -> Conversations | None:
    """The conversations of a kept file, or None where there is none, a damaged one, or one of another source."""
    try:
        held = open_features(path)
        if held.header.dataset != dataset or held.header.source is None:
            return None
        if held.header.source.model_copy(update={"file": source.file}) != source:  # a renamed pickle is the same
            return None
        return held.conversations(modalities, source.text_view)
    except (DataError, OSError):
        return None
