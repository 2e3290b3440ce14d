"""Grids of runs through the harness, as a user makes them, and the page that says what was measured."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

import benchmark
from benchmark.base.files import write_atomically, write_json
from benchmark.cli.display.terminal import Terminal
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.tracking.uris import default_uri
from benchmark.workflows.grid import plan_grid

CONSOLE = Console(width=160)


@dataclass(frozen=True)
class Run:
    """A finished run: what it was, and its folder (docs/run-format.md)."""

    spec: RunSpec
    folder: Path

    @property
    def method(self) -> str:
        """As tables show it."""
        return self.spec.method.label

    @property
    def result(self) -> Any:
        """The content of ``result.json``."""
        return json.loads((self.folder / "result.json").read_text(encoding="utf-8"))

    def percent(self, epoch: str, score: str = "weighted_f1") -> float:
        """A score in % at the ``selected`` or ``peak_test`` epoch."""
        return 100 * float(self.result[epoch][score])

    def probabilities(self) -> npt.NDArray[np.float32]:
        """Of the test utterances' classes at the selected epoch, [N, C]."""
        frame = pd.read_parquet(self.folder / "predictions.parquet")
        return frame.filter(regex=r"^probability_\d+$").to_numpy()

    def conflict(self) -> pd.DataFrame:
        """A row a probe."""
        return pd.read_parquet(self.folder / "conflict.parquet")


class Laboratory:
    """A run store with the results beside it.

    Args:
        folder: holds ``runs/``, and gets ``results/`` with a JSON file a control and ``results.md``.
    """

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.results.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder)
        self.store.prepare()
        self._began = time.monotonic()

    def run(
        self,
        datasets: Sequence[str],
        methods: Sequence[str],
        seeds: Sequence[int],
        **choices: Unpack[benchmark.Choices],
    ) -> list[Run]:
        """The runs of a grid in the order data set, method, seed; those that the store holds are not made again."""
        outcome = benchmark.run(
            datasets=datasets,
            methods=methods,
            seeds=seeds,
            store=self.store.root,
            report=False,
            tracking_uri=default_uri(self.store.root),
            listener=Terminal(CONSOLE),
            **choices,
        )
        grid = [
            spec
            for data in datasets
            for method in methods
            for seed in seeds
            for spec in plan_grid(self.store.root, datasets=[data], methods=[method], seeds=[seed], **choices).specs
        ]
        failed = [spec.key for spec in grid if not self.store.is_complete(spec.key)]
        assert not failed, f"runs {failed} in {outcome.store} did not finish"
        return [Run(spec, self.store.folder(spec.key)) for spec in grid]

    def record(self, name: str, title: str, rows: Sequence[Mapping[str, Any]], note: str) -> None:
        """Show a table, and write it as ``results/<name>.json`` and into ``results/results.md``."""
        seconds = time.monotonic() - self._began
        write_json(self.results / f"{name}.json", {"title": title, "note": note, "rows": list(rows)})
        table = Table(*rows[0], title=title, caption=note, title_justify="left", caption_justify="left")
        for row in rows:
            table.add_row(*map(_shown, row.values()))
        CONSOLE.print(table, f"after {seconds:.0f} s")
        parts = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(self.results.glob("*.json"))]
        write_atomically(self.results / "results.md", "\n".join(map(_markdown, parts)).encode())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _markdown(part: Mapping[str, Any]) -> str:
    header = list(part["rows"][0])
    lines = [header, ["---"] * len(header), *([_shown(v) for v in row.values()] for row in part["rows"])]
    return "\n".join([f"## {part['title']}", "", *(f"| {' | '.join(line)} |" for line in lines), "", part["note"], ""])
