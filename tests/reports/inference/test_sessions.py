from types import SimpleNamespace

import numpy as np
import pytest

from reports.evidence.comparisons import Comparison
from reports.inference.looks import groups_of
from reports.inference.sessions import session_words
from reports.statistics import intraclass_correlation, paired_comparison


def contrast(seeds: int, sessions: int = 4) -> SimpleNamespace:
    values = dict(enumerate(np.random.default_rng(0).normal(size=seeds)))
    paired = paired_comparison(values, dict.fromkeys(values, 0.0), sessions=sessions, resamples=20)
    return SimpleNamespace(label="css − adam", comparison=paired)


@pytest.mark.parametrize(("seeds", "even"), [(8, True), (10, False)])
def test_the_correlation_within_sessions_is_printed_and_uneven_seeds_are_named(seeds: int, even: bool):
    words = session_words(SimpleNamespace(sessions=4), [contrast(seeds)])
    paired = contrast(seeds).comparison
    correlation = intraclass_correlation(paired.differences, np.arange(seeds) % 4)
    assert f"Correlation within a session: css − adam {correlation:.2f}".replace("-", "−") in words[0].replace("-", "−")
    assert (len(words) == 1) == even
    assert even or "A multiple of 4 seeds" in words[1]


def test_without_sessions_there_is_nothing_to_say():
    assert session_words(SimpleNamespace(sessions=0), [contrast(8, 0)]) == []


@pytest.mark.parametrize(
    ("dataset", "protocol", "recorded", "sessions"),
    [
        ("iemocap", "validated", {}, 4),
        ("iemocap-sim", "validated", {"validation_sessions": 4}, 4),
        ("meld", "validated", {}, 0),
        ("meld", "validated", {"validation_sessions": 0}, 0),
        ("my-corpus", "validated", {"validation_sessions": 7}, 7),
        ("iemocap-sim", "validated", {"validation_sessions": 3}, 3),  # a remedy has dropped a session
        ("iemocap", "published", {"validation_sessions": 0}, 0),
        ("iemocap", "published", {}, 0),
    ],
)
def test_sessions_take_turns_as_the_runs_say_or_in_older_ones_on_iemocap(
    dataset: str, protocol: str, recorded: dict[str, int], sessions: int
):
    run = SimpleNamespace(protocol=protocol, dataset=dataset, manifest={"data": recorded})
    comparison = Comparison(dataset, "b", (SimpleNamespace(runs=(run,)),))
    assert comparison.sessions == sessions
    looked = groups_of(SimpleNamespace(dataset=dataset), (0, 5), [run])
    assert looked.tolist() == ([0, 5 % sessions] if sessions else [-1, -1])
