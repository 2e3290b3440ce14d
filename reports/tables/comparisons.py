"""The table of comparisons: what was declared, tested and found, and beside it everything that only describes."""

import math
from typing import Any

import numpy as np
import pandas as pd

from reports.evidence.comparisons import Comparison
from reports.evidence.evidence import Evidence
from reports.inference import imported as imports
from reports.inference.contrasts import Contrast, Inference
from reports.inference.description import describe
from reports.inference.folds import by_session, fold_words
from reports.inference.sessions import session_words
from reports.inference.single_streams import stream_words
from reports.statistics.effects import BCA_SEEDS
from reports.statistics.variances import PITMAN_MORGAN_LABEL
from reports.tables.model import Listing, Table, listing
from reports.text import MISSING, counted, number

NOTE = (
    "Differences of weighted F1 on the test set at the epoch chosen on validation, in points, paired by seed. "
    "Decisive: p adjusted, from sign flips of whole seeds and the largest |t| of the family, over all data sets; and "
    "the 90 % interval against the margin δ. Student's intervals hold one at a time, and so does each “shown equal”: "
    "its p is adjusted over the family in the column p equality, Holm. Seeds: declared / present / failed. "
    "Everything else describes."
)
FOLLOWED = (
    "This family was followed until it was decided: its verdicts come from its looks, in the table of looks. Here p "
    "and the intervals are those of a fixed number of seeds, which are too bold after a look that decided, and only "
    "describe. Seeds: needed by the last look / present / failed."
)
UNPAIRED = (
    "The seeds of an imported method that nobody has said to be matched are not paired with those of this suite: "
    "Welch's intervals, and p from permutations of Welch's t, adjusted (Holm) among such comparisons. Two imports with "
    "the same seeds are paired; comparisons of imports with each other are families of their own. An import whose "
    "epoch was not chosen on validation data can be shown worse, but neither better nor alike."
)


def comparisons(evidence: Evidence, inference: Inference) -> Table:
    """A row a contrast."""
    comparison = evidence.comparison
    contrasts = inference.of(comparison.dataset)
    rows = [
        {"dataset": comparison.dataset, "data": comparison.data_origin.kind} | describe(evidence, c) for c in contrasts
    ]
    sentences = [inference.declarations[comparison.dataset], *_warnings(evidence, contrasts)]
    sentences += stream_words(comparison)
    if comparison.imported:
        sentences += [*imports.sentences(comparison), UNPAIRED]
    listings = (
        listing(
            "",
            (
                "comparison", "difference", "95 % CI", "verdict", "n", "seeds", "90 % CI", "δ", "p", "p adjusted",
            ),
            tuple(
                (
                    c.label, _signed(r["difference"]), _interval(r["low"], r["high"]), c.verdict, _count(r),
                    c.standing.counts, _interval(r["low_90"], r["high_90"]), f"{c.margin:g}", _p(r["p"]),
                    _p(r["p_adjusted"]),
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
            prose=["verdict"],
        ),
        listing(
            "Beside the test: description, and what more seeds could show",
            (
                "comparison", "p Holm", "p equality", "p equality, Holm", "p Wilcoxon", "BCa 95 %",
                "d_z", "better in", "sd", "power at δ",
                "seeds for δ", "seeds for equality",
            ),
            tuple(
                (
                    c.label, _p(r["p_holm"]), _p(c.p_equal), _p(c.p_equal_holm), _p(r["p_wilcoxon"]),
                    _interval(r["bca_low"], r["bca_high"]),
                    number(r["d_z"], 2), _percent(r["improvement"]), number(r["sd"], 2), number(r["power"], 2),
                    r["seeds_for_difference"], r["seeds_for_equivalence"],
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
            closed=True,
        ),
        _luck(comparison, contrasts, rows),
        listing(
            "Spread over seeds: does the first vary less?",
            (
                "comparison", "sd first", "sd second", "sd ratio", "95 % CI", "p", f"p ({PITMAN_MORGAN_LABEL})",
                "verdict",
            ),
            tuple(
                (
                    c.label, number(r["sd_a"], 2), number(r["sd_b"], 2), number(r["sd_ratio"], 2),
                    _interval(r["sd_ratio_low"], r["sd_ratio_high"]), _p(r["p_spread"]),
                    _p(r["p_pitman_morgan"]), _spread_verdict(c),
                )
                for c, r in zip(contrasts, rows, strict=True)
            ),
            prose=["verdict"],
            closed=True,
        ),
    )  # fmt: skip
    return Table(
        name="comparisons",
        title="Comparisons",
        note=FOLLOWED if any(c.followed is not None for c in contrasts) else NOTE,
        data=comparison.data_origin.short,
        dataset=comparison.dataset,
        sentences=tuple(sentences),
        listings=tuple(each for each in listings if each.rows),
        frame=pd.DataFrame(rows),
    )


def _luck(comparison: Comparison, contrasts: list[Contrast], rows: list[dict[str, Any]]) -> Listing:
    """What part of a difference is luck with seeds, and what with the test set: its conversations, or its sessions."""
    if comparison.folds:
        by_label = [(c.label, by_session(comparison, c)) for c in contrasts]
        return listing(
            "Seed luck and session luck: differences by test session",
            ("comparison", *comparison.runs[0].sessions, "mean", "95 % CI over sessions"),
            tuple(
                (
                    label, *map(_signed, each.differences), _signed(each.over_sessions.mean),
                    _interval(each.over_sessions.low, each.over_sessions.high),
                )
                for label, each in by_label
                if each is not None
            ),
            closed=True,
        )  # fmt: skip
    return listing(
        "Seed luck and test-set luck",
        (
            "comparison", "95 % CI over seeds × conversations", "s.e. from seeds", "from conversations",
            "remainder", "p, whole conversations swapped",
        ),
        tuple(
            (
                c.label, _interval(r["crossed_low"], r["crossed_high"]), number(r["se_seed"], 2),
                number(r["se_conversation"], 2), number(r["se_remainder"], 2), _p(r["p_conversations"]),
            )
            for c, r in zip(contrasts, rows, strict=True)
        ),
        closed=True,
    )  # fmt: skip


def _warnings(evidence: Evidence, contrasts: list[Contrast]) -> list[str]:
    comparison = evidence.comparison
    conversations = len(next(iter(evidence.outcomes.values())).counts)
    who = " of two speakers (one session)" if comparison.dataset.startswith("iemocap") else ""
    who = f" of {comparison.folds} sessions" if comparison.folds else who
    words = [
        f"Conditional on this test set: {counted(conversations, 'conversation')}{who}. Other seeds would meet the same "
        "ones, so p and the t intervals speak of training again, not of other speakers or corpora."
    ]
    tested = [c.comparison for c in contrasts if c.comparison is not None]
    words += session_words(comparison, contrasts) + fold_words(comparison)
    if any(c.bca_warning for c in tested):
        words.append(f"BCa intervals are too narrow below {BCA_SEEDS} seeds.")
    if dropped := sorted({seed for c in tested for seed in c.dropped}):
        words.append(f"Without a partner, so in no difference of their method: seeds {', '.join(map(str, dropped))}.")
    return words


def _spread_verdict(contrast: Contrast) -> str:
    """`supported` means: the first method varies less."""
    verdict = contrast.spread_judgement.verdict.value
    cannot_tell = verdict in ("underpowered", "too few seeds")
    exploratory = contrast.remark or contrast.followed  # the looks are at weighted F1, not at its spread
    return (f"cannot tell: {verdict}" if cannot_tell else verdict) + (" (exploratory)" if exploratory else "")


def _interval(low: float, high: float) -> str:
    return MISSING if not np.isfinite([low, high]).all() else f"[{number(low, 2)}, {number(high, 2)}]"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value, 2)


def _p(value: float) -> str:
    return number(value, 3, tiny=True)


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)} %" if math.isfinite(share) else MISSING


def _count(row: dict[str, Any]) -> str:
    """`10`, or of runs that are not paired `10, 20`."""
    return f"{row['n_a']}, {row['n_b']}" if "n_a" in row else str(row["n"])
