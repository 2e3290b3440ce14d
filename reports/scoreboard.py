"""What a report says where there is no page: the scores of a data set in a few columns, its answer, what is missing.

Nothing heavy is imported: reading it must not load what draws a report.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from reports.text import MISSING, html_table, number


@dataclass(frozen=True, kw_only=True)
class Score:
    """One method: weighted F1 over its seeds in %, and what the reference method has more, in points.

    None where there is no such number. `verdict` begins with its sign; `diverged` counts runs.
    """

    method: str
    n: int
    mean: float | None
    sd: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    diverged: int

    @property
    def score(self) -> str:
        """Its mean ± sd, in words."""
        mean = MISSING if self.mean is None else number(self.mean, 1)
        return mean if self.sd is None else f"{mean} ± {number(self.sd, 1)}"

    @property
    def gain(self) -> str:
        """What the reference has more, with its interval, in words; empty where it is not known."""
        if self.difference is None:
            return ""
        mean = ("+" if self.difference > 0 else "") + number(self.difference, 2)
        known = self.low is not None and self.high is not None
        return f"{mean} [{number(self.low or 0.0, 2)}, {number(self.high or 0.0, 2)}]" if known else mean


@dataclass(frozen=True, kw_only=True)
class Scoreboard:
    """One data set.

    Attributes:
        data: the data and where they come from, as a clause. answer: in a sentence or two; empty without comparisons.
        reference: the method that the others are compared with. scores: the best mean first.
        seeds: the fewest seeds that a method has. needed: the fewest that a test needs.
        undecided: whether more seeds could decide a comparison that is not.
        seconds_a_seed: the time that one worker takes for a run of every method.
    """

    dataset: str
    data: str
    answer: str
    reference: str
    scores: tuple[Score, ...]
    seeds: int
    needed: int
    undecided: bool
    seconds_a_seed: float

    def _repr_html_(self) -> str:
        """What a notebook shows: the data, a row a method, the answer."""
        header = ("method", "weighted F1, %", "n", f"{self.reference} − method", "verdict")
        rows = [(s.method, s.score, str(s.n), s.gain, s.verdict) for s in self.scores]
        answer = escape(self.answer.removeprefix(f"{self.data}: "))
        return f"<p><strong>{escape(self.data)}</strong></p>{html_table(header, rows)}<p>{answer}</p>"

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Scoreboard":
        """Raises TypeError or KeyError for what `as_json` has not written."""
        return cls(**{**entry, "scores": tuple(Score(**score) for score in entry["scores"])})
