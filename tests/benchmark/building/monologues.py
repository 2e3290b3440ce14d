"""A small corpus as people have it before it is built: CMU-MOSI's shape, two classes of monologues by one speaker."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HEADER = ("conversation", "utterance", "speaker", "label", "split", "text")


def write_monologues(folder: Path, videos: int = 40) -> Path:
    """``text.npy``, ``audio.npz`` and ``utterances.csv`` of videos, 60 % for training, 20 % for dev and for test."""
    rng = np.random.default_rng(7)
    rows: list[Sequence[object]] = []
    labels = []
    for video in range(videos):
        split = ("train", "train", "train", "dev", "test")[video % 5]
        for utterance in range(int(rng.integers(3, 7))):
            labels.append(int(rng.integers(2)))
            rows.append(
                (f"v{video}", utterance, 0, ("negative", "positive")[labels[-1]], split, f"{video}, {utterance}")
            )
    signal = np.array(labels)[:, None] - 0.5
    write_table(folder, rows)
    np.save(folder / "text.npy", (rng.standard_normal((len(rows), 6)) + signal).astype(np.float32))
    np.savez(folder / "audio.npz", covarep=rng.standard_normal((len(rows), 4)) + signal)
    return folder


def write_table(folder: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> None:
    """``utterances.csv`` of these rows."""
    with (folder / "utterances.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
